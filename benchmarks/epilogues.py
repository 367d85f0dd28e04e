"""What follows a contraction in a case: its text and its reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.elementwise_operations import elementwise_body, elementwise_reference
from benchmarks.row_operations import EPSILON
from benchmarks.writer import Value, Writer

Array: TypeAlias = npt.NDArray[Any]

_STEEPEST_GELU = 1.13
_EPS = float(np.finfo(np.float32).eps)


def write_epilogue(w: Writer, name: str, result: Value, extras: Sequence[Value], along: int) -> Value:
    """On the contraction's result; `along` is the dimension of the columns or filters."""
    loops = "ijklmn"[: len(result.shape)]
    inputs = [
        (result, loops),
        *((extra, loops if extra.shape == result.shape else loops[along]) for extra in extras),
    ]
    zero = w.scalar(0.0) if "relu" in name else ""
    if name == "bias_relu":
        body = ["%s = arith.addf %x, %y", f"%r = arith.maximumf %s, {zero}"]
    elif name == "bias_gelu":
        added = w.mapped(loops, inputs, result.shape, ["%r = arith.addf %x, %y"])
        inputs, body = [(added, loops)], elementwise_body(w, "gelu_erf")
    else:
        body = [
            "%d = arith.subf %x, %y",
            f"%e = arith.addf %z, {w.scalar(EPSILON)}",
            "%q = math.rsqrt %e",
            "%m = arith.mulf %d, %q",
            "%n = arith.mulf %m, %u",
            "%s = arith.addf %n, %v",
        ]
        last = "%s"
        if name == "bn_add_relu":
            body, last = [*body, "%t = arith.addf %s, %w"], "%t"
        body = [*body, f"%r = arith.maximumf {last}, {zero}"]
    return w.mapped(loops, inputs, result.shape, body)


def epilogue_reference(
    name: str, value: Array, error: Array, extras: Sequence[Array], along: int
) -> tuple[Array, Array]:
    """The result and its bound, from those of the contraction, all in double precision."""
    shape = [1] * value.ndim
    shape[along] = -1
    wide = [extra if extra.shape == value.shape else extra.reshape(shape) for extra in extras]
    if name in ("bias_relu", "bias_gelu"):
        error = error + _EPS * (np.abs(value) + np.abs(wide[0]))
        value = value + wide[0]
        if name == "bias_relu":
            return np.maximum(value, 0.0), error
        return elementwise_reference("gelu_erf", [value]), _STEEPEST_GELU * error + 16 * _EPS * (
            np.abs(value) + 1
        )
    mean, variance, weight, bias, *residual = wide
    factor = weight / np.sqrt(variance + EPSILON)
    normed = (value - mean) * factor + bias
    error = error * np.abs(factor) + 8 * _EPS * (
        (np.abs(value) + np.abs(mean)) * np.abs(factor) + np.abs(bias)
    )
    if residual:
        normed = normed + residual[0]
        error = error + _EPS * (np.abs(normed) + np.abs(residual[0]))
    return np.maximum(normed, 0.0), error
