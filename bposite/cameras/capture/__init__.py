"""Streams to frames: the rim where the video libraries are. Nothing here knows the database."""
