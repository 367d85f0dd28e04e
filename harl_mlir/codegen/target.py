"""Which processor an object is compiled for, as plain data; `target_features.py` asks LLVM about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A processor other than this machine's.

    Attributes:
        cpu: LLVM's name of it: `x86-64`, `x86-64-v3`, `skylake`, `znver4`.
        features: changes to what LLVM knows of it, as in `-mattr`: `-avx512f`, `+aes`.
    """

    cpu: str
    features: tuple[str, ...] = ()
