"""A record as a directory that runs with nothing but MLIR's own tools."""
