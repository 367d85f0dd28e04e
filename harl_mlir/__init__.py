"""harl_mlir: learned tuning of MLIR linalg kernels for CPUs."""

__version__ = "0.1.0"
