"""Shapes of the cases' arguments and results, by the kind of a case and its fields in `suite.json`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Shape = tuple[int, ...]
_Shapes = tuple[tuple[Shape, ...], Shape, int, int]
"""Of the arguments and the result; products summed for an element; multiply-adds of the direct algorithm."""


def _matmul(f: Mapping[str, Any]) -> _Shapes:
    m, n, k = f["m"], f["n"], f["k"]
    batch = (f["batch"],) if f["batch"] else ()
    a = (*batch, k, m) if f["a_transposed"] else (*batch, m, k)
    b = (*batch, n, k) if f["b_transposed"] else (*batch, k, n)
    output = (*batch, m, n)
    return (a, b, *_extras(f["epilogue"], n, output)), output, k, math.prod(batch) * m * n * k


def _extras(epilogue: str, features: int, output: Shape) -> tuple[Shape, ...]:
    """Of the epilogue's arguments: numbers for each column or filter, and a residual."""
    vectors = {"": 0, "bias_relu": 1, "bias_gelu": 1, "bn_relu": 4, "bn_add_relu": 4}[epilogue]
    residual = (output,) if epilogue == "bn_add_relu" else ()
    return (*((features,),) * vectors, *residual)


def _matvec(f: Mapping[str, Any]) -> _Shapes:
    return ((f["m"], f["k"]), (f["k"],)), (f["m"],), f["k"], f["m"] * f["k"]


def _vecmat(f: Mapping[str, Any]) -> _Shapes:
    return ((f["k"],), (f["k"], f["n"])), (f["n"],), f["k"], f["k"] * f["n"]


def _conv(f: Mapping[str, Any]) -> _Shapes:
    kernel = (f["kernel"],) * len(f["spatial"])
    image = tuple(extent + 2 * f["padding"] for extent in f["spatial"])
    out = tuple((extent - f["kernel"]) // f["stride"] + 1 for extent in image)
    given, made, filters, each = _channels(f)
    if f["layout"] == "channels_last":
        shapes = (f["batch"], *image, *given), (*kernel, *filters)
        output = (f["batch"], *out, *made)
    else:
        # The filters come before their channels: F,C or G,F/G,C/G.
        shapes = (f["batch"], *given, *image), (*filters[:-2], *filters[:-3:-1], *kernel)
        output = (f["batch"], *made, *out)
    extras = _extras(f["epilogue"], f["filters"], output)
    terms = math.prod(kernel) * each
    return (*shapes, *extras), output, terms, math.prod(output) * terms


def _channels(f: Mapping[str, Any]) -> tuple[Shape, Shape, Shape, int]:
    """Those of the image, of the result and of the filter; and how many are summed."""
    channels, filters, groups = f["channels"], f["filters"], f["groups"]
    if f["depthwise"]:
        return (channels,), (channels,), (channels,), 1
    if groups == 1:
        return (channels,), (filters,), (channels, filters), channels
    each, made = channels // groups, filters // groups
    return (groups, each), (groups, made), (groups, each, made), each


def _transposed_conv(f: Mapping[str, Any]) -> _Shapes:
    batch, channels, filters, kernel = f["batch"], f["channels"], f["filters"], f["kernel"]
    out = tuple((extent - 1) * f["stride"] + kernel - 2 * f["padding"] for extent in f["spatial"])
    shapes = (batch, *f["spatial"], channels), (kernel, kernel, channels, filters)
    terms = math.ceil(kernel / f["stride"]) ** 2 * channels
    # Every element of the image times every tap of the filters.
    multiply_adds = batch * math.prod(f["spatial"]) * channels * filters * kernel**2
    return shapes, (batch, *out, filters), terms, multiply_adds


def _rows(f: Mapping[str, Any]) -> _Shapes:
    op, shape = f["op"], (f["rows"], f["columns"])
    vectors = (shape[1:],) * {"layer_norm": 2, "rms_norm": 1}.get(op, 0)
    one_a_row = op in ("logsumexp", "variance", "argmax")
    return (shape, *vectors), shape[:1] if one_a_row else shape, shape[1], 0


def _elementwise(f: Mapping[str, Any]) -> _Shapes:
    shape = (f["rows"], f["columns"])
    second = {"add_relu": (shape,), "bias_add": (shape[1:],)}.get(f["op"], ())
    return (shape, *second), shape, 1, 0


def _memory(f: Mapping[str, Any]) -> _Shapes:
    op, shape = f["op"], tuple(f["shape"])
    if op == "transpose":
        return (shape,), tuple(shape[axis] for axis in f["permutation"]), 1, 0
    if op == "pad":
        return (shape,), tuple(n + 2 * border for n, border in zip(shape, f["border"], strict=True)), 1, 0
    if op == "concat":
        axis, count = f["axis"], f["count"]
        return (shape,) * count, (*shape[:axis], count * shape[axis], *shape[axis + 1 :]), 1, 0
    first = 2 if f["layout"] == "channels_first" else 1
    made = tuple((n - f["kernel"]) // f["stride"] + 1 for n in shape[first : first + 2])
    return (shape,), (*shape[:first], *made, *shape[first + 2 :]), f["kernel"] ** 2, 0


def _chain(f: Mapping[str, Any]) -> _Shapes:
    op = f["op"]
    if op == "attention":
        shape = (f["heads"], f["places"], f["depth"])
        return (shape,) * 3, shape, f["depth"] + f["places"], 2 * math.prod(shape) * f["places"]
    rows, columns = f["rows"], f["columns"]
    if op == "add_layer_norm":
        return ((rows, columns), (rows, columns), (columns,), (columns,)), (rows, columns), columns, 0
    inputs, made = ((rows, columns), (f["features"], columns), (f["features"],)), (rows, f["features"])
    return inputs, made, columns + f["features"], math.prod(made) * columns


SHAPES: dict[str, Callable[[Mapping[str, Any]], _Shapes]] = {
    "matmul": _matmul,
    "matvec": _matvec,
    "vecmat": _vecmat,
    "conv": _conv,
    "transposed_conv": _transposed_conv,
    "rows": _rows,
    "elementwise": _elementwise,
    "memory": _memory,
    "chain": _chain,
}
