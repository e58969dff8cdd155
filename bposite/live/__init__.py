"""What is happening now: the live stream, Site now and its wall mode, roll call, health and metrics."""
