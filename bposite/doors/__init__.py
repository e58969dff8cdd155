"""Zones, doors, readers, credentials, the access decision, presence."""
