"""The tamper-evident log: facts, Merkle tree (RFC 6962), signed checkpoints, tail."""
