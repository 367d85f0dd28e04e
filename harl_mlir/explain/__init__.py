"""What a schedule is and what its choices cost, from the records; no MLIR."""
