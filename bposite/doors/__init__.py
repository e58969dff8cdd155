"""Doors: zones, doors, readers, credentials, the access decision, and who is where."""
