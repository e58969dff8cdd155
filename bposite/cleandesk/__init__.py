"""Clean desk: rounds, observations, findings, corrective actions, statistics."""
