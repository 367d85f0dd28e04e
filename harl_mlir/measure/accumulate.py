"""Reductions piece by piece, with the error bound of each combiner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from harl_mlir.measure.approx import Approx, eps, is_float, tiny, unsigned, wrap

Array: TypeAlias = npt.NDArray[Any]

COMBINERS: dict[str, str] = {
    "arith.addf": "sum",
    "arith.addi": "sum",
    "arith.subf": "sum",
    "arith.subi": "sum",
    "arith.mulf": "product",
    "arith.muli": "product",
    "arith.maximumf": "maximum",
    "arith.maxnumf": "fmax",
    "arith.maxsi": "maximum",
    "arith.maxui": "umax",
    "arith.minimumf": "minimum",
    "arith.minnumf": "fmin",
    "arith.minsi": "minimum",
    "arith.minui": "umin",
    "arith.andi": "and",
    "arith.ori": "or",
    "arith.xori": "xor",
}
"""Body ops that reduce, by what they compute; `sum` takes subtraction of a term too."""


class Accumulator(Protocol):
    """Collects terms at a place of the result; terms have the result's axes and the reduced ones."""

    def add(self, where: tuple[slice, ...], term: Approx, axes: tuple[int, ...], sign: int = 1) -> None:
        """Combine `term`, reduced over `axes` (kept as size 1), with what is at `where`."""
        ...

    def finish(self) -> Approx:
        """The reduced values with their bounds."""
        ...


def accumulator(combiner: str, shape: tuple[int, ...], element: str, terms: int) -> Accumulator:
    """An accumulator of `terms` terms for each element of a result of type `element`."""
    if combiner == "sum":
        return Sum(shape, element, terms)
    if combiner == "product":
        return _Product(shape, element, terms)
    return _Exact(combiner, shape, element)


class Sum:
    """Sums. The bound of a sum of K terms x is `2 (K + 2) eps sum|x|`, plus the bounds of the terms.

    Terms may be products, each of which may be off by the smallest number where it underflows (f16).
    """

    def __init__(self, shape: tuple[int, ...], element: str, terms: int) -> None:
        self._float = is_float(element)
        self._element = element
        self._terms = terms
        self._value = np.zeros(shape, np.float64 if self._float else np.int64)
        self._magnitude = np.zeros(shape) if self._float else None
        self._moved: Array | None = None

    def add(self, where: tuple[slice, ...], term: Approx, axes: tuple[int, ...], sign: int = 1) -> None:
        """Add a term, or subtract it where `sign` is -1."""
        magnitude = np.abs(term.value).sum(axis=axes, keepdims=True) if self._float else None
        moved: Array | float = 0.0
        if not term.exact:
            moved = np.broadcast_to(term.error, term.value.shape).sum(axis=axes, keepdims=True)
        self.add_reduced(where, sign * term.value.sum(axis=axes, keepdims=True), magnitude, moved)

    def add_reduced(
        self, where: tuple[slice, ...], value: Array, magnitude: Array | None, moved: Array | float
    ) -> None:
        """Add a partial sum: its value, the sum of its terms' magnitudes, the sum of their bounds."""
        self._value[where] += value
        if self._magnitude is not None and magnitude is not None:
            self._magnitude[where] += magnitude
        if not (isinstance(moved, float) and moved == 0.0):
            if self._moved is None:
                self._moved = np.zeros(self._value.shape)
            self._moved[where] += moved

    def finish(self) -> Approx:
        """The sums."""
        moved: Array | float = 0.0 if self._moved is None else self._moved
        if self._magnitude is None:
            return Approx(wrap(self._value, self._element), moved)
        bound = 2 * (self._terms + 2) * eps(self._element) * (self._magnitude + moved)
        bound = bound + (self._terms + 1) * tiny(self._element)
        return Approx(self._value, bound + moved)


class _Product:
    """Products. Each multiplication multiplies the range of a correct product by 1 +- 2 eps at most."""

    def __init__(self, shape: tuple[int, ...], element: str, terms: int) -> None:
        self._float = is_float(element)
        self._element = element
        self._terms = terms
        self._value = np.ones(shape, np.float64 if self._float else np.int64)
        self._largest = np.ones(shape)

    def add(self, where: tuple[slice, ...], term: Approx, axes: tuple[int, ...], sign: int = 1) -> None:
        self._value[where] *= term.value.prod(axis=axes, keepdims=True)
        if self._float:
            self._largest[where] *= (np.abs(term.value) + term.error).prod(axis=axes, keepdims=True)

    def finish(self) -> Approx:
        if not self._float:
            return Approx(wrap(self._value, self._element))
        grown = self._largest * (1 + 2 * eps(self._element)) ** (self._terms + 2)
        return Approx(self._value, grown - np.abs(self._value) + self._terms * tiny(self._element))


class _Exact:
    """Extremes and bitwise reductions: nothing is rounded; the bound is the largest of the terms'."""

    def __init__(self, combiner: str, shape: tuple[int, ...], element: str) -> None:
        self._ufunc: np.ufunc = {
            "maximum": np.maximum,
            "minimum": np.minimum,
            "fmax": np.fmax,
            "fmin": np.fmin,
            "umax": np.maximum,
            "umin": np.minimum,
            "and": np.bitwise_and,
            "or": np.bitwise_or,
            "xor": np.bitwise_xor,
        }[combiner]
        self._read: Callable[[Array], Array] = (
            (lambda value: unsigned(value, element))
            if combiner in ("umax", "umin")
            else (lambda value: value)
        )
        self._element = element
        self._shape = shape
        self._value: Array | None = None
        self._filled = np.zeros(shape, dtype=bool)
        self._error: Array | float = 0.0

    def add(self, where: tuple[slice, ...], term: Approx, axes: tuple[int, ...], sign: int = 1) -> None:
        reduced = self._ufunc.reduce(self._read(term.value), axis=axes, keepdims=True)
        if self._value is None:
            self._value = np.zeros(self._shape, dtype=reduced.dtype)
        here = self._value[where]
        self._value[where] = np.where(self._filled[where], self._ufunc(here, reduced), reduced)
        self._filled[where] = True
        if not term.exact:
            if isinstance(self._error, float):
                self._error = np.zeros(self._shape)
            error = np.broadcast_to(term.error, term.value.shape).max(axis=axes, keepdims=True)
            self._error[where] = np.maximum(self._error[where], error)

    def finish(self) -> Approx:
        assert self._value is not None
        value = self._value
        if value.dtype == np.uint64:
            value = wrap(value.astype(np.int64), self._element)
        return Approx(value, self._error)
