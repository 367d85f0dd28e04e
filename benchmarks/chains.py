"""Chains of contractions and operations on rows: kernels and references."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.row_operations import layer_norm, row_reference, softmax
from benchmarks.suite import Case
from benchmarks.writer import Value, Writer

Array: TypeAlias = npt.NDArray[Any]


def chain_kernel(case: Case) -> str:
    """The text of the function."""
    writer = Writer(case)
    return writer.finished(_KERNELS[case.fields["op"]](writer, *writer.arguments))


def chain_reference(op: str, given: Sequence[Array]) -> Array:
    """The result in double precision of arguments in double precision."""
    if op == "add_layer_norm":
        return row_reference("layer_norm", [given[0] + given[1], *given[2:]])
    if op == "linear_softmax":
        return row_reference("softmax", [given[0] @ given[1].T + given[2]])
    queries, keys, values = given
    scores = queries @ keys.swapaxes(-1, -2) / math.sqrt(queries.shape[-1])
    return np.asarray(row_reference("softmax", [scores]) @ values)


def _attention(w: Writer, queries: Value, keys: Value, values: Value) -> Value:
    """Of heads x places x depth each."""
    heads, places, depth = queries.shape
    shape = (heads, places, keys.shape[1])
    product = ["%p = arith.mulf %x, %y", "%r = arith.addf %p, %o"]
    scores = w.generic("bijk", [(queries, "bik"), (keys, "bjk")], w.filled(0.0, shape), "bij", product)
    scale = w.scalar(1 / math.sqrt(depth))
    scaled = w.mapped("ijk", [(scores, "ijk")], shape, [f"%r = arith.mulf %x, {scale}"])
    into = w.filled(0.0, (heads, places, depth))
    return w.generic("bijk", [(softmax(w, scaled), "bik"), (values, "bkj")], into, "bij", product)


def _linear_softmax(w: Writer, x: Value, weight: Value, bias: Value) -> Value:
    shape = (x.shape[0], weight.shape[0])
    product = ["%p = arith.mulf %x, %y", "%r = arith.addf %p, %o"]
    total = w.generic("ijk", [(x, "ik"), (weight, "jk")], w.filled(0.0, shape), "ij", product)
    return softmax(w, w.mapped("ij", [(total, "ij"), (bias, "j")], shape, ["%r = arith.addf %x, %y"]))


def _add_layer_norm(w: Writer, x: Value, y: Value, scale: Value, shift: Value) -> Value:
    total = w.mapped("ij", [(x, "ij"), (y, "ij")], x.shape, ["%r = arith.addf %x, %y"])
    return layer_norm(w, total, scale, shift)


_KERNELS: dict[str, Callable[..., Value]] = {
    "attention": _attention,
    "linear_softmax": _linear_softmax,
    "add_layer_norm": _add_layer_norm,
}
