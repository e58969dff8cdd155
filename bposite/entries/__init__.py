"""The entry log: searching it, one entry with its frames, trace and proof, a visit's way, CSV and the global search."""
