"""Each kind of case as a TVM tensor expression in its own layout, as MetaSchedule's workloads are."""

from __future__ import annotations

from typing import Any

from tvm import te, tirx


def prim_func(case: dict[str, Any], shapes: list[tuple[int, ...]]) -> tuple[tirx.PrimFunc, tuple[int, ...]]:
    """The case's function of its operands and its result, in that order, and the result's shape."""
    operands = [te.placeholder(shape, name=f"arg{i}", dtype="float32") for i, shape in enumerate(shapes)]
    kinds = {"conv": _convolution, "transposed_conv": _transposed}
    output = kinds.get(case["kind"], _product)(case, *operands[:2])
    if case.get("epilogue") == "bias_relu":
        output = _bias_relu(output, operands[2], _filters_axis(case))
    function = te.create_prim_func([*operands, output]).with_attr("global_symbol", "main")
    return function, tuple(int(extent) for extent in output.shape)


def _filters_axis(case: dict[str, Any]) -> int:
    return 1 if case.get("layout") == "channels_first" else -1


def _bias_relu(value: te.Tensor, bias: te.Tensor, axis: int) -> te.Tensor:
    added = te.compute(value.shape, lambda *i: value(*i) + bias(i[axis]), name="bias_add")
    zero = tirx.const(0, "float32")
    return te.compute(value.shape, lambda *i: te.max(added(*i), zero), name="relu")


def _product(case: dict[str, Any], left: te.Tensor, right: te.Tensor) -> te.Tensor:
    """Matrix products: batched, of transposed operands, of a matrix and a vector."""
    has_rows, has_columns = case["kind"] != "vecmat", case["kind"] != "matvec"
    batch = len(left.shape) - 2 if case["kind"] == "matmul" else 0
    k = te.reduce_axis((0, case["k"]), name="k")
    shape = [*left.shape[:batch], *([case["m"]] if has_rows else []), *([case["n"]] if has_columns else [])]

    def element(*indices: tirx.Var) -> tirx.PrimExpr:
        outer, rest = list(indices[:batch]), list(indices[batch:])
        row, column = rest[: int(has_rows)], rest[int(has_rows) :]
        first = [k, *row] if case.get("a_transposed") else [*row, k]
        second = [*column, k] if case.get("b_transposed") else [k, *column]
        return te.sum(left(*outer, *first) * right(*outer, *second), axis=k)

    return te.compute(shape, element, name="product")


def _convolution(case: dict[str, Any], image: te.Tensor, taps: te.Tensor) -> te.Tensor:
    """Direct convolution of a padded image; dense, grouped or depthwise, in either layout."""
    rank, last, stride = len(case["spatial"]), case["layout"] == "channels_last", case["stride"]
    depthwise = case["depthwise"]
    grouped = case["groups"] > 1 and not depthwise
    first_spatial = 1 if last else len(image.shape) - rank
    extents = [(int(image.shape[first_spatial + d]) - case["kernel"]) // stride + 1 for d in range(rank)]
    window = [te.reduce_axis((0, case["kernel"]), name=f"k{d}") for d in range(rank)]
    groups = case["groups"] if grouped else 1
    channel = te.reduce_axis((0, case["channels"] // groups), name="c")
    group_shape = [groups] if grouped else []
    features = [*group_shape, case["filters"] // groups]
    shape = [case["batch"], *extents, *features] if last else [case["batch"], *features, *extents]

    def element(n: tirx.Var, *indices: tirx.Var) -> tirx.PrimExpr:
        if last:
            place, feature = indices[:rank], indices[rank:]
        else:
            place, feature = indices[-rank:], indices[:-rank]
        at = [place[d] * stride + window[d] for d in range(rank)]
        if depthwise:
            inner, weight = [*feature], [*feature]
        elif last:
            inner, weight = [*feature[:-1], channel], [*feature[:-1], channel, feature[-1]]
        else:
            inner, weight = [*feature[:-1], channel], [*feature, channel]
        value = image(n, *at, *inner) if last else image(n, *inner, *at)
        tap = taps(*window, *weight) if last else taps(*weight, *window)
        return te.sum(value * tap, axis=[*window, *([] if depthwise else [channel])])

    return te.compute(shape, element, name="convolution")


def _transposed(case: dict[str, Any], image: te.Tensor, taps: te.Tensor) -> te.Tensor:
    """Transposed convolution as MetaSchedule's own workload has it: zeros inserted, then a convolution."""
    n, height, width, channels = image.shape
    kernel, stride, edge = case["kernel"], case["stride"], case["kernel"] - 1 - case["padding"]
    extents = [int(size - 1) * stride + kernel - 2 * case["padding"] for size in (height, width)]
    padded = [size + kernel - 1 for size in extents]

    def zero_inserted(b: tirx.Var, y: tirx.Var, x: tirx.Var, c: tirx.Var) -> tirx.PrimExpr:
        inside = [
            condition
            for i, size in ((y, height), (x, width))
            for condition in (i >= edge, i < edge + (size - 1) * stride + 1, (i - edge) % stride == 0)
        ]
        value = image(b, (y - edge) // stride, (x - edge) // stride, c)
        return te.if_then_else(te.all(*inside), value, tirx.const(0, "float32"))

    spread = te.compute((n, *padded, channels), zero_inserted, name="spread")
    window = [te.reduce_axis((0, kernel), name=f"k{d}") for d in range(2)]
    c = te.reduce_axis((0, channels), name="c")
    return te.compute(
        (n, *extents, case["filters"]),
        lambda b, y, x, f: te.sum(
            spread(b, y + window[0], x + window[1], c) * taps(*window, c, f), axis=[*window, c]
        ),
        name="convolution",
    )
