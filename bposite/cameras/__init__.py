"""Cameras: frames of an entry's own moment, how sure they are, and whether each camera is healthy."""
