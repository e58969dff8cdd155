"""What can be shown to people outside: the journal's facts with their proofs, checkpoints, verification."""
