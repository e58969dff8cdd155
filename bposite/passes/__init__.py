"""The pass: an opaque code in a QR symbol, what it opens and when, and the label or card that carries it."""
