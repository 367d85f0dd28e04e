"""The arguments of a case, what it should compute, and whether an output is that.

The reference is in double precision by a way of its own (windows copied into matrices), so it shares no
code with any contender. Large cases are checked on some items of their batch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.chains import chain_reference
from benchmarks.elementwise_operations import elementwise_reference
from benchmarks.epilogues import epilogue_reference
from benchmarks.memory_operations import memory_reference
from benchmarks.row_operations import row_reference
from benchmarks.suite import OTHERS, Case

Array: TypeAlias = npt.NDArray[Any]

_SEED = 20261122
_MOST_MULTIPLY_ADDS = 3_000_000_000
_MOST_ELEMENTS = 4_000_000
"""Of the checked items, about; each element costs two products in double precision."""
_BLOCK = 1 << 22
"""Elements of a block of windows that are copied at a time."""
_WIDTHS = {"attention": 4}
_VARIANCE = 3
"""The argument's number where there is a batch normalisation: after the operands and the means."""
_ROUNDING = {"bf16": 2.0**-8, "f16": 2.0**-11}
_DTYPES = {
    "f32": np.float32, "f16": np.float16, "bf16": np.uint16, "i8": np.int8, "i32": np.int32, "i64": np.int64
}  # fmt: skip
_EPS = float(np.finfo(np.float32).eps)


def arguments(case: Case) -> list[Array]:
    """Seeded, uniform in [-0.5, 0.5) or a wider range, in C order; integers are of their whole range.

    An array of bf16 holds its bits. Variances lie around 1.
    """
    rng = np.random.default_rng(_SEED)
    width = np.float32(_WIDTHS.get(case.fields.get("op", ""), 1 if case.multiply_adds else 8))
    given = []
    for number, (shape, element) in enumerate(zip(case.inputs, case.elements, strict=True)):
        if element == "i8":
            given.append(rng.integers(-128, 128, shape, dtype=np.int8))
            continue
        values = width * (rng.random(shape, dtype=np.float32) - np.float32(0.5))
        if number == _VARIANCE and str(case.fields.get("epilogue", "")).startswith("bn"):
            values += np.float32(1)
        given.append(_narrowed(values, element))
    return given


def _narrowed(values: Array, element: str) -> Array:
    if element == "bf16":
        return (values.view(np.uint32) >> 16).astype(np.uint16)  # towards zero
    return values.astype(np.float16) if element == "f16" else values


def _widened(array: Array) -> Array:
    """In double precision; bits of bf16 are uint16."""
    if array.dtype == np.uint16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float64)


@dataclass(frozen=True)
class Reference:
    """What a case computes, and how far a right result may be from it.

    Attributes:
        items: the items of the batch it holds; None where it holds the whole result.
        value, error: in double precision.
    """

    items: tuple[int, ...] | None
    value: Array
    error: Array

    def mismatch(self, output: Array, case: Case) -> str | None:
        """None if a contender's output is right; else what is wrong, in one sentence."""
        kind = np.dtype(_DTYPES[case.result_element])
        if tuple(output.shape) != case.output or output.dtype != kind:
            return f"its result is {output.dtype} {tuple(output.shape)}, not {kind} {case.output}"
        got = output if self.items is None else output[list(self.items)]
        distance = np.abs(_widened(got) - self.value)
        wrong = ~(distance <= self.error)
        if not wrong.any():
            return None
        worst = np.unravel_index(
            np.argmax(np.where(wrong, np.nan_to_num(distance, nan=np.inf), -1)), got.shape
        )
        return (
            f"{int(wrong.sum())} of {wrong.size} checked elements are wrong; one is {got[worst]:.9g},"
            f" should be {self.value[worst]:.9g} +- {self.error[worst]:.2g}"
        )


def reference(case: Case, given: Sequence[Array]) -> Reference:
    """The reference of a case on these arguments.

    The bound of a sum of K products is `2 (K + 2) eps (|A| . |B|)` with eps of f32, as the tuner's own
    (`harl_mlir/measure/op_reference.py`); a bias adds a rounding, ReLU nothing.
    """
    items = _checked_items(case)
    if case.kind in OTHERS:
        return _other_reference(case, given, items)
    first, second = given[0], given[1]
    if items is not None:
        first = first[list(items)]
        second = second[list(items)] if case.kind == "matmul" else second
    first, second = _widened(first), _widened(second)
    value = _bilinear(case, first, second)
    if case.result_element == "i32":
        return Reference(items, value, np.zeros(value.shape))
    error = 2 * (case.terms + 2) * _EPS * _bilinear(case, np.abs(first), np.abs(second))
    if case.has_epilogue:
        extras = [array.astype(np.float64) for array in given[2:]]
        along = 1 if case.fields.get("layout") == "channels_first" else -1
        value, error = epilogue_reference(case.fields["epilogue"], value, error, extras, along)
    # Some peers have no wider result than their operands.
    error = error + _ROUNDING.get(case.elements[0], 0.0) * np.abs(value)
    return Reference(items, value, error)


def _other_reference(case: Case, given: Sequence[Array], items: tuple[int, ...] | None) -> Reference:
    """Of a case without contraction: some rows of the arguments give the same rows of the result.

    The bound leaves room for functions that are right to a dozen units of the last place, as some of the
    peers' are, and for sums whose roundings add up like a walk at random. An index has to be right.
    """
    rows = case.output[0]
    some = [g[list(items)] if items is not None and g.ndim > 1 and len(g) == rows else g for g in given]
    op, wide = case.fields["op"], [array.astype(np.float64) for array in some]
    if case.kind == "memory":
        value = memory_reference(case.fields, wide)
    else:
        by_kind = {"rows": row_reference, "elementwise": elementwise_reference, "chain": chain_reference}
        value = by_kind[case.kind](op, wide)
    if case.result_element != "f32":
        return Reference(items, value, np.zeros(value.shape))
    positive = op in ("softmax", "exp", "sigmoid")
    roundings = (16 if case.kind == "chain" else 4) * (8 + math.sqrt(case.terms))
    error = roundings * _EPS * (np.abs(value) + (0 if positive else 1))
    return Reference(items, value, error)


def _checked_items(case: Case) -> tuple[int, ...] | None:
    """First, last and others between, as many as the work allows; None for all.

    Items are those of the batch, or rows where nothing is contracted.
    """
    if case.kind in ("memory", "chain"):
        return None
    batch = case.output[0] if case.kind in OTHERS else case.fields.get("batch", 0)
    if batch <= 1:
        return None
    elements = math.prod(case.output)
    work = max(1, case.multiply_adds)
    most = min(_MOST_MULTIPLY_ADDS * batch // work, _MOST_ELEMENTS * batch // elements)
    if batch <= most:
        return None
    return tuple(sorted({round(i) for i in np.linspace(0, batch - 1, max(2, most))}))


def _bilinear(case: Case, first: Array, second: Array) -> Array:
    if case.kind in ("matvec", "vecmat"):
        return np.asarray(first @ second)
    if case.kind == "matmul":
        a = np.swapaxes(first, -1, -2) if case.fields["a_transposed"] else first
        b = np.swapaxes(second, -1, -2) if case.fields["b_transposed"] else second
        return np.asarray(a @ b)
    if case.kind == "transposed_conv":
        return _transposed_conv(case, first, second)
    return _conv(case, first, second)


def _conv(case: Case, image: Array, filters: Array) -> Array:
    """Windows as rows of a matrix, in the form N,*spatial,G,C/G times *window,G,C/G,F/G."""
    f = case.fields
    dims = len(f["spatial"])
    grouped, depthwise, first = f["groups"] > 1, f["depthwise"], f["layout"] == "channels_first"
    if first:
        made = 2 if grouped else 1
        image = np.moveaxis(image, range(1, 1 + made), range(-made, 0))
        filters = np.moveaxis(filters, range(-dims, 0), range(dims))
        filters = filters if depthwise else np.swapaxes(filters, -1, -2)
    if depthwise:
        image, filters = image[..., None], filters[..., None, None]
    elif not grouped:
        image, filters = image[..., None, :], filters[..., None, :, :]
    total = _grouped_conv(image, filters, dims, f["stride"])
    # Back to the axes of the result: of the groups' and the filters' only what there is.
    total = total[..., 0] if depthwise else total if grouped else total[..., 0, :]
    if first:
        total = np.moveaxis(total, range(1 + dims, total.ndim), range(1, total.ndim - dims))
    return total


def _grouped_conv(image: Array, filters: Array, dims: int, stride: int) -> Array:
    groups, made = filters.shape[dims], filters.shape[-1]
    # G, window x C/G, F/G
    matrix = np.moveaxis(filters, dims, 0).reshape(groups, -1, made)
    windows = sliding_window_view(image, filters.shape[:dims], tuple(range(1, 1 + dims)))
    windows = windows[(slice(None), *(slice(None, None, stride),) * dims)]
    # N, *out, G, *window, C/G
    windows = np.moveaxis(windows, 2 + dims, -1)
    out = windows.shape[: 1 + dims]
    total = np.empty((*out, groups, made))
    rows = max(1, _BLOCK // (math.prod(out[2:]) * groups * matrix.shape[1]))
    for item, start in itertools.product(range(out[0]), range(0, out[1], rows)):
        where = (item, slice(start, start + rows))
        block = windows[where]
        patches = block.reshape(-1, groups, matrix.shape[1]).swapaxes(0, 1)
        total[where] = (patches @ matrix).swapaxes(0, 1).reshape(*block.shape[:dims], groups, made)
    return total


def _transposed_conv(case: Case, image: Array, filters: Array) -> Array:
    """Every pixel is spread over a window of the result, of which the padding is cut off."""
    f = case.fields
    kernel, stride, padding = f["kernel"], f["stride"], f["padding"]
    batch, height, width, _ = image.shape
    full = np.zeros((batch, (height - 1) * stride + kernel, (width - 1) * stride + kernel, filters.shape[-1]))
    for y, x in itertools.product(range(kernel), repeat=2):
        rows = slice(y, y + (height - 1) * stride + 1, stride)
        columns = slice(x, x + (width - 1) * stride + 1, stride)
        full[:, rows, columns] += image @ filters[kernel - 1 - y, kernel - 1 - x]
    return full[:, padding : full.shape[1] - padding, padding : full.shape[2] - padding]
