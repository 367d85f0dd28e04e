"""Elementwise operations on a matrix: shapes, kernels and references."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.suite import Case
from benchmarks.writer import Writer

Array: TypeAlias = npt.NDArray[Any]

_HALF_ROOT = math.sqrt(0.5)
_GELU_SCALE, _GELU_CUBE = math.sqrt(2 / math.pi), 0.044715


def elementwise_kernel(case: Case) -> str:
    """The text of the function."""
    writer = Writer(case)
    inputs = [(value, "ij"[-len(value.shape) :]) for value in writer.arguments]
    body = elementwise_body(writer, case.fields["op"])
    return writer.finished(writer.mapped("ij", inputs, case.output, body))


def elementwise_body(w: Writer, op: str) -> list[str]:
    """What is done to `%x` (and `%y`), for `Writer.generic`."""
    if op in ("exp", "tanh"):
        return [f"%r = math.{op} %x"]
    if op == "bias_add":
        return ["%r = arith.addf %x, %y"]
    if op == "add_relu":
        return ["%s = arith.addf %x, %y", f"%r = arith.maximumf %s, {w.scalar(0.0)}"]
    one = w.scalar(1.0)
    if op in ("sigmoid", "silu"):
        share = f"%r = arith.divf {one if op == 'sigmoid' else '%x'}, %s"
        return ["%n = arith.negf %x", "%e = math.exp %n", f"%s = arith.addf %e, {one}", share]
    ending = [f"%s = arith.addf %e, {one}", f"%h = arith.mulf %x, {w.scalar(0.5)}", "%r = arith.mulf %h, %s"]
    if op == "gelu_erf":
        return [f"%t = arith.mulf %x, {w.scalar(_HALF_ROOT)}", "%e = math.erf %t", *ending]
    if op != "gelu_tanh":
        raise KeyError(op)
    return [
        "%q = arith.mulf %x, %x",
        "%p = arith.mulf %q, %x",
        f"%a = arith.mulf %p, {w.scalar(_GELU_CUBE)}",
        "%b = arith.addf %x, %a",
        f"%t = arith.mulf %b, {w.scalar(_GELU_SCALE)}",
        "%e = math.tanh %t",
        *ending,
    ]


def elementwise_reference(op: str, given: Sequence[Array]) -> Array:
    """The result in double precision of arguments in double precision."""
    x = given[0]
    if op in ("add_relu", "bias_add"):
        total = x + given[1]
        return np.asarray(np.maximum(total, 0) if op == "add_relu" else total)
    if op == "gelu_erf":
        return np.asarray(x / 2 * (1 + _erf(x * _HALF_ROOT)))
    if op == "gelu_tanh":
        return np.asarray(x / 2 * (1 + np.tanh(_GELU_SCALE * (x + _GELU_CUBE * x**3))))
    if op in ("sigmoid", "silu"):
        share = 1 / (1 + np.exp(-x))
        return np.asarray(share if op == "sigmoid" else x * share)
    return np.asarray(np.exp(x) if op == "exp" else np.tanh(x))


def _erf(x: Array) -> Array:
    """The C library's, an element at a time."""
    return np.fromiter(map(math.erf, x.ravel()), float, x.size).reshape(x.shape)
