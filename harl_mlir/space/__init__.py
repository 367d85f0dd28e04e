"""What a sketch leaves open: decisions, candidates, sketches. Plain Python, no MLIR."""
