"""Operations that move memory and compute little: kernels and references."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.suite import Case
from benchmarks.writer import INFINITY, LETTERS, Value, Writer

Array: TypeAlias = npt.NDArray[Any]


def memory_kernel(case: Case) -> str:
    """The text of the function."""
    writer, f = Writer(case), case.fields
    if f["op"] == "transpose":
        result = _transpose(writer, f, case)
    elif f["op"] == "pad":
        result = _pad(writer, f, case)
    elif f["op"] == "concat":
        result = _concat(writer, f, case)
    else:
        result = _pool(writer, f, case)
    return writer.finished(result)


def memory_reference(fields: Mapping[str, Any], given: Sequence[Array]) -> Array:
    """The result in double precision of arguments in double precision."""
    op, x = fields["op"], given[0]
    if op == "transpose":
        return np.asarray(x.transpose(fields["permutation"]))
    if op == "pad":
        return np.asarray(np.pad(x, [(border, border) for border in fields["border"]]))
    if op == "concat":
        return np.concatenate(given, axis=fields["axis"])
    first, kernel, stride = (
        2 if fields["layout"] == "channels_first" else 1,
        fields["kernel"],
        fields["stride"],
    )
    made = [(extent - kernel) // stride + 1 for extent in x.shape[first : first + 2]]
    taps = []
    for offsets in itertools.product(range(kernel), repeat=2):
        rows, columns = (
            slice(o, o + stride * (n - 1) + 1, stride) for o, n in zip(offsets, made, strict=True)
        )
        taps.append(x[:, :, rows, columns] if first == 2 else x[:, rows, columns])
    return np.asarray(np.max(taps, axis=0) if op == "max_pool" else np.mean(taps, axis=0))


def _transpose(w: Writer, f: Mapping[str, Any], case: Case) -> Value:
    (x,), into, made = w.arguments, w.empty(case.output), w.fresh(case.output)
    w.line(
        f"{made.name} = linalg.transpose ins({x.name} : {x.type}) outs({into.name} : {into.type})"
        f" permutation = {list(f['permutation'])}"
    )
    return made


def _pad(w: Writer, f: Mapping[str, Any], case: Case) -> Value:
    (x,), zero, made = w.arguments, w.scalar(0.0), w.fresh(case.output)
    border = list(f["border"])
    w.line(f"{made.name} = tensor.pad {x.name} low{border} high{border} {{")
    w.line(f"^bb0({', '.join(f'%{letter}: index' for letter in LETTERS[: len(border)])}):")
    w.line(f"  tensor.yield {zero} : f32")
    w.line(f"}} : {x.type} to {made.type}")
    return made


def _concat(w: Writer, f: Mapping[str, Any], case: Case) -> Value:
    made = w.fresh(case.output)
    names, types = ", ".join(x.name for x in w.arguments), ", ".join(x.type for x in w.arguments)
    w.line(f"{made.name} = tensor.concat dim({f['axis']}) {names} : ({types}) -> {made.type}")
    return made


def _pool(w: Writer, f: Mapping[str, Any], case: Case) -> Value:
    """As torch-mlir writes it; the mean is a division after the sum."""
    (x,), kernel = w.arguments, f["kernel"]
    most = f["op"] == "max_pool"
    into = w.filled(-INFINITY if most else 0.0, case.output)
    window, made = w.empty((kernel, kernel)), w.fresh(case.output)
    name = (
        f"linalg.pooling_{'nchw' if f['layout'] == 'channels_first' else 'nhwc'}_{'max' if most else 'sum'}"
    )
    w.line(
        f"{made.name} = {name} {{dilations = dense<1> : tensor<2xi64>, strides = dense<{f['stride']}> :"
        f" tensor<2xi64>}} ins({x.name}, {window.name} : {x.type}, {window.type})"
        f" outs({into.name} : {into.type}) -> {made.type}"
    )
    if most:
        return made
    count = w.scalar(float(kernel * kernel))
    return w.mapped(LETTERS, [(made, LETTERS)], case.output, [f"%r = arith.divf %x, {count}"])
