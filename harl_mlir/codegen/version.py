"""The lowering's version, apart from the lowering: record keys need it where no MLIR is imported."""

LOWERING_VERSION = 7
"""Raised whenever a pass or an option changes: times of other versions are not comparable."""
