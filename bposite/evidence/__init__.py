"""The journal for people's eyes: facts with their proofs, checkpoints, checking everything, and exports with proofs."""
