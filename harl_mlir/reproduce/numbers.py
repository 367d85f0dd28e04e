"""Operands that a program makes by itself, and what its results should be, alike in MLIR and NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harl_mlir.measure.approx import Approx, is_float
from harl_mlir.measure.operands import DTYPES, Arguments, stored
from harl_mlir.measure.reference import reference
from harl_mlir.tasks.task import Task, TensorType

SAMPLES = 256
"""Elements of a result that are compared one by one, at most."""
_FACTOR, _STEP, _MIX = 2654435761, 0x632BE59BD9B4E019, -0x40A7B892E31B1A47
"""Of the hash below; signed, as MLIR prints them."""

NUMBER = f"""
  // The number from 0 to 63 at place %place of argument %argument.
  func.func private @harl_number(%place: index, %argument: i64) -> i64 {{
    %factor = arith.constant {_FACTOR} : i64
    %step = arith.constant {_STEP} : i64
    %mix = arith.constant {_MIX} : i64
    %fold = arith.constant 29 : i64
    %high = arith.constant 40 : i64
    %mask = arith.constant 63 : i64
    %i = arith.index_cast %place : index to i64
    %a = arith.muli %i, %factor : i64
    %b = arith.addi %argument, %a : i64
    %c = arith.addi %b, %step : i64
    %d = arith.muli %c, %mix : i64
    %e = arith.shrui %d, %fold : i64
    %f = arith.xori %d, %e : i64
    %g = arith.muli %f, %mix : i64
    %h = arith.shrui %g, %high : i64
    %r = arith.andi %h, %mask : i64
    return %r : i64
  }}
"""


def hashed(count: int, argument: int) -> NDArray[np.int64]:
    """What `@harl_number` gives for the first `count` places of an argument."""
    with np.errstate(over="ignore"):
        places = np.arange(count, dtype=np.uint64) * np.uint64(_FACTOR) + np.uint64(argument + _STEP)
        mixed = places * np.uint64(_MIX % 2**64)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(_MIX % 2**64)
    return ((mixed >> np.uint64(40)) & np.uint64(63)).astype(np.int64)


def values_of(kind: TensorType, argument: int) -> NDArray[Any]:
    """An argument: multiples of 1/64 in [-0.5, 0.5), whole numbers in [-8, 8), or truth values."""
    numbers = hashed(math.prod(kind.shape), argument).reshape(kind.shape)
    if is_float(kind.element):
        return stored((numbers - 32) / 64, kind.element)
    if kind.element == "i1":
        return (numbers & 1).astype(DTYPES[kind.element])
    return ((numbers & 15) - 8).astype(DTYPES[kind.element])


@dataclass(frozen=True)
class Expected:
    """What one result should be.

    Attributes:
        kind: its type.
        places: row-major places of the elements that are compared.
        values, errors: what stands there, and how far from it a right kernel may be.
        total, total_error: of the sum over all elements; None where an element is no finite number.
    """

    kind: TensorType
    places: tuple[int, ...]
    values: tuple[float, ...] | tuple[int, ...]
    errors: tuple[float, ...] | tuple[int, ...]
    total: float | int | None
    total_error: float | int


def expected_results(task: Task) -> tuple[Expected, ...]:
    """The results of a task on the operands of `values_of`. Raises CannotCheckError as `reference` does."""
    given = [values_of(kind, number) for number, kind in enumerate(task.arguments)]
    arguments = Arguments(
        tuple(v.item() if kind.is_scalar else v for v, kind in zip(given, task.arguments, strict=True))
    )
    found = reference(task, arguments).results
    kinds = [task.result_type(member) for member in task.results]
    return tuple(_expected(kind, result) for kind, result in zip(kinds, found, strict=True))


def _expected(kind: TensorType, result: Approx) -> Expected:
    value = np.broadcast_to(result.value, kind.shape).reshape(-1)
    error = np.broadcast_to(np.asarray(result.error, dtype=np.float64), kind.shape).reshape(-1)
    places = _places(value.size)
    if is_float(kind.element):
        finite = bool(np.isfinite(value).all() and np.isfinite(error).all())
        # Summing in double precision rounds, too.
        rounding = float(np.abs(value).sum() * value.size * np.finfo(np.float64).eps) if finite else 0.0
        return Expected(
            kind,
            tuple(places.tolist()),
            tuple(value[places].tolist()),
            tuple(error[places].tolist()),
            float(value.sum()) if finite else None,
            float(error.sum()) + rounding if finite else 0.0,
        )
    wide, slack = value.astype(np.int64), np.ceil(error).astype(np.int64)
    exact = not slack.any()
    return Expected(
        kind,
        tuple(places.tolist()),
        tuple(wide[places].tolist()),
        tuple(slack[places].tolist()),
        # In 64 bits, as the program sums.
        int(wide.sum(dtype=np.int64)) if exact else None,
        0,
    )


def _places(count: int) -> NDArray[np.int64]:
    """All places, or the first, the last and others drawn once and for all."""
    if count <= SAMPLES:
        return np.arange(count)
    drawn = np.random.default_rng(count).integers(0, count, SAMPLES - 2)
    return np.unique([0, count - 1, *drawn.tolist()])
