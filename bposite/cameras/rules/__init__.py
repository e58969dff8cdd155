"""Pure decisions about cameras: whose clock to believe, which frame, what to call the link, is the picture healthy."""
