"""Translation at the rim: topic and bytes to typed events, and answers to bytes."""
