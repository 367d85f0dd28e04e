"""Operations on the rows of a matrix: shapes, kernels and references.

Kernels are what torch-mlir writes once dead results and dimensions of one element are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.suite import Case
from benchmarks.writer import INFINITY, LETTERS, Value, Writer

Array: TypeAlias = npt.NDArray[Any]

EPSILON = 1e-5
"""Added to a variance or a mean square before its root."""


def row_kernel(case: Case) -> str:
    """The text of the function."""
    writer = Writer(case)
    return writer.finished(_KERNELS[case.fields["op"]](writer, *writer.arguments))


def row_reference(op: str, given: Sequence[Array]) -> Array:
    """The result in double precision of arguments in double precision."""
    x = given[0]
    if op == "argmax":
        return np.asarray(x.argmax(axis=-1))
    if op == "variance":
        return np.asarray(x.var(axis=-1, ddof=1))
    if op == "layer_norm":
        left = x - x.mean(axis=-1, keepdims=True)
        return np.asarray(left / np.sqrt(x.var(axis=-1, keepdims=True) + EPSILON) * given[1] + given[2])
    if op == "rms_norm":
        return np.asarray(x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON) * given[1])
    left = x - x.max(axis=-1, keepdims=True)
    total = np.exp(left).sum(axis=-1, keepdims=True)
    if op == "softmax":
        return np.asarray(np.exp(left) / total)
    return np.asarray(left - np.log(total) if op == "log_softmax" else (x.max(-1) + np.log(total[..., 0])))


def softmax(w: Writer, x: Value) -> Value:
    """Along the last dimension."""
    loops = LETTERS[: len(x.shape)]
    _, exp, total = _exponentials(w, x)
    inputs = [(exp, loops), (total, loops[:-1])]
    return w.mapped(loops, inputs, x.shape, ["%r = arith.divf %x, %y"])


def _exponentials(w: Writer, x: Value) -> tuple[Value, Value, Value]:
    """The rows' maxima, the exponentials of what is left, and their sums."""
    loops = LETTERS[: len(x.shape)]
    most = w.reduced(x, "maximumf", -INFINITY)
    power = ["%d = arith.subf %x, %y", "%r = math.exp %d"]
    exp = w.mapped(loops, [(x, loops), (most, loops[:-1])], x.shape, power)
    return most, exp, w.reduced(exp, "addf", 0.0)


def _log_softmax(w: Writer, x: Value) -> Value:
    most = w.reduced(x, "maximumf", -INFINITY)
    left = w.mapped("ij", [(x, "ij"), (most, "i")], x.shape, ["%r = arith.subf %x, %y"])
    exp = w.mapped("ij", [(left, "ij")], x.shape, ["%r = math.exp %x"])
    log = w.mapped("i", [(w.reduced(exp, "addf", 0.0), "i")], x.shape[:1], ["%r = math.log %x"])
    return w.mapped("ij", [(left, "ij"), (log, "i")], x.shape, ["%r = arith.subf %x, %y"])


def _logsumexp(w: Writer, x: Value) -> Value:
    most, _, total = _exponentials(w, x)
    body = ["%l = math.log %x", "%r = arith.addf %l, %y"]
    return w.mapped("i", [(total, "i"), (most, "i")], x.shape[:1], body)


def _centred_squares(w: Writer, x: Value) -> tuple[Value, Value]:
    """The rows' means and the sums of the squared distances from them."""
    count = w.scalar(float(x.shape[1]))
    mean = w.mapped("i", [(w.reduced(x, "addf", 0.0), "i")], x.shape[:1], [f"%r = arith.divf %x, {count}"])
    square = ["%d = arith.subf %x, %y", "%q = arith.mulf %d, %d", "%r = arith.addf %q, %o"]
    return mean, w.generic("ij", [(x, "ij"), (mean, "i")], w.filled(0.0, x.shape[:1]), "i", square)


def _variance(w: Writer, x: Value) -> Value:
    """Unbiased, as torch's is unless it is told otherwise."""
    _, squares = _centred_squares(w, x)
    less = w.scalar(float(x.shape[1] - 1))
    return w.mapped("i", [(squares, "i")], x.shape[:1], [f"%r = arith.divf %x, {less}"])


def layer_norm(w: Writer, x: Value, scale: Value, shift: Value) -> Value:
    """Of each row, with a factor and an addend for each column."""
    mean, squares = _centred_squares(w, x)
    inputs = [(x, "ij"), (mean, "i"), (_inverse_root(w, squares, x), "i"), (scale, "j"), (shift, "j")]
    body = [
        "%d = arith.subf %x, %y",
        "%n = arith.mulf %d, %z",
        "%s = arith.mulf %n, %u",
        "%r = arith.addf %s, %v",
    ]
    return w.mapped("ij", inputs, x.shape, body)


def _rms_norm(w: Writer, x: Value, scale: Value) -> Value:
    square = ["%q = arith.mulf %x, %x", "%r = arith.addf %q, %o"]
    squares = w.generic("ij", [(x, "ij")], w.filled(0.0, x.shape[:1]), "i", square)
    inputs = [(x, "ij"), (_inverse_root(w, squares, x), "i"), (scale, "j")]
    return w.mapped("ij", inputs, x.shape, ["%n = arith.mulf %x, %y", "%r = arith.mulf %n, %z"])


def _inverse_root(w: Writer, squares: Value, x: Value) -> Value:
    """One over the root of the mean of squares and a little."""
    count, little = w.scalar(float(x.shape[1])), w.scalar(EPSILON)
    body = [f"%m = arith.divf %x, {count}", f"%e = arith.addf %m, {little}", "%r = math.rsqrt %e"]
    return w.mapped("i", [(squares, "i")], squares.shape, body)


def _argmax(w: Writer, x: Value) -> Value:
    """With the maxima themselves beside, as torch-mlir writes it; nothing uses them."""
    most = w.filled(-INFINITY, x.shape[:1])
    first = w.filled(0, x.shape[:1], "i64")
    row, both = "affine_map<(i, j) -> (i)>", "affine_map<(i, j) -> (i, j)>"
    w.line(
        f"%both:2 = linalg.generic {{indexing_maps = [{both}, {row}, {row}],"
        f' iterator_types = ["parallel", "reduction"]}} ins({x.name} : {x.type})'
        f" outs({most.name}, {first.name} : {most.type}, {first.type}) {{"
    )
    for line in (
        "^bb0(%x: f32, %o: f32, %p: i64):",
        "  %j = linalg.index 1 : index",
        "  %n = arith.index_cast %j : index to i64",
        "  %m = arith.maximumf %x, %o : f32",
        "  %c = arith.cmpf ogt, %x, %o : f32",
        "  %q = arith.select %c, %n, %p : i64",
        "  linalg.yield %m, %q : f32, i64",
        f"}} -> ({most.type}, {first.type})",
    ):
        w.line(line)
    return Value("%both#1", first.shape, "i64")


_KERNELS: dict[str, Callable[..., Value]] = {
    "softmax": softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "variance": _variance,
    "layer_norm": layer_norm,
    "rms_norm": _rms_norm,
    "argmax": _argmax,
}
