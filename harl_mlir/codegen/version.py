"""The lowering's version, apart from the lowering: record keys need it where no MLIR is imported."""

LOWERING_VERSION = 4
"""Raised whenever a pass or an option changes: times of other versions are not comparable."""
_ON_THREADS = 1
"""Raised where only what several threads run changes."""


def lowering_version(threads: int) -> int:
    """The version by which records of kernels on so many threads are kept."""
    return LOWERING_VERSION if threads == 1 else LOWERING_VERSION + _ON_THREADS
