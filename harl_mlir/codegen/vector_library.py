"""The system's vector math library: glibc's libmvec, and which of its functions a processor can run.

What it has for vectors of some width is one function for each instruction set, off by at most 4 units in the
last place. NaNs, infinities, signed zeros and subnormal numbers are as in libm.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Collection, Mapping
from functools import cache

_LIBRARY = "libmvec.so.1"
_PREFIX = "_ZGV"
_MACHINES = ("x86_64", "AMD64")

LEVELS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "avx512": (("e", 64), ("d", 32), ("b", 16)),
    "avx2": (("d", 32), ("b", 16)),
    "avx": (("c", 32), ("b", 16)),
    "sse": (("b", 16),),
}
"""For each instruction set the letters in functions' names and the bytes of their vectors, widest first."""

_FEATURES = {"avx512f": "avx512", "avx2": "avx2", "avx": "avx"}


def level_of(features: Collection[str]) -> str | None:
    """The instruction set (of `LEVELS`) of an x86-64 processor with `features`; None without a library."""
    if platform.machine() not in _MACHINES or _library() is None:
        return None
    return next((level for feature, level in _FEATURES.items() if feature in features), "sse")


def vector_symbol(name: str, operands: int, letter: str, lanes: int) -> str:
    """The name of the function that does what libm's `name` does, on vectors of `lanes` elements."""
    return f"{_PREFIX}{letter}N{lanes}{'v' * operands}_{name}"


def is_vector_symbol(symbol: str) -> bool:
    """Whether it is named as functions of a vector math library are."""
    return symbol.startswith(_PREFIX)


def is_in_libmvec(symbol: str) -> bool:
    """Whether the system's library has such a function. Loads it, so that compiled kernels find it."""
    library = _library()
    return library is not None and is_vector_symbol(symbol) and hasattr(library, symbol)


@cache
def _library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(_LIBRARY, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return None
