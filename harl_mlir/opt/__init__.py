"""`harl-mlir opt`: pass pipelines over the bindings' MLIR, with the passes of the C++ plugin by name."""
