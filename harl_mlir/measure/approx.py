"""A value with a bound on its error, in double precision, and the types it is rounded to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harl_mlir.measure.operands import DTYPES, FLOATS, exact, stored

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Approx:
    """A value and a bound on its absolute error. Floats as float64; integers as int64, i1 as 0 or 1."""

    value: Array
    error: Array | float = 0.0

    @property
    def exact(self) -> bool:
        """Whether the bound is zero everywhere by construction."""
        return isinstance(self.error, float) and self.error == 0.0


@dataclass(frozen=True)
class OpTypes:
    """The attributes of a body op and the types of its operands and its result."""

    attributes: Mapping[str, str]
    operands: tuple[str, ...]
    result: str


Rule = Callable[[list[Approx], OpTypes], Approx]


def is_float(element: str) -> bool:
    """Whether an element type is a float type."""
    return element.startswith("f") or element == "bf16"


def eps(element: str) -> float:
    """Machine epsilon (the gap above 1) of a float type."""
    return 2.0**-7 if element == "bf16" else float(np.finfo(FLOATS[element]).eps)


def tiny(element: str) -> float:
    """An absolute error that underflow may add: x86's instructions for bf16 know no subnormals."""
    return 2.0**-126 if element == "bf16" else float(np.finfo(FLOATS[element]).smallest_subnormal)


def largest(element: str) -> float:
    """The largest finite number of a float type."""
    return (2.0 - 2.0**-7) * 2.0**127 if element == "bf16" else float(np.finfo(FLOATS[element]).max)


def wrap(value: Array, element: str) -> Array:
    """Integers modulo the width of their type, in the signed reading; i1 as 0 or 1."""
    if element == "i1":
        return value & 1
    if element in ("i64", "index"):
        return value
    return np.asarray(value.astype(DTYPES[element]).astype(np.int64))


def unsigned(value: Array, element: str) -> Array:
    """The unsigned reading of integers."""
    if element in ("i64", "index"):
        return value.astype(np.uint64)
    bits = int(element[1:])
    return np.asarray((value & ((1 << bits) - 1)).astype(np.uint64))


def constant(number: float | int, element: str) -> Approx:
    """A constant, rounded to its type as the kernel holds it."""
    if is_float(element):
        return Approx(exact(stored(np.array(float(number)), element), element))
    return Approx(wrap(np.array(int(number), dtype=np.int64), element))


def rounded(value: Array, propagated: Array | float, element: str, ulps: float = 1.0) -> Approx:
    """A value with its own rounding added to the bound propagated from its operands."""
    error = propagated + ulps * eps(element) * (np.abs(value) + propagated) + tiny(element)
    return Approx(value, error)
