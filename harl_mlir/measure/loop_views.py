"""Operands as the loop nest sees them: one axis a loop, made by strides, nothing copied."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harl_mlir.tasks.linalg_op import Operand

Array: TypeAlias = npt.NDArray[Any]
Box = tuple[tuple[int, int], ...]
"""For each loop its range `(first, past the last)`."""


def loop_view(array: Array, operand: Operand, box: Box) -> Array:
    """The elements an operand supplies in `box`: one axis for each loop, of size 1 for loops it ignores.

    Raises ValueError where the map leaves the array.
    """
    starts, strides, sizes = [], [0] * len(box), [1] * len(box)
    for dim, row in enumerate(operand.map):
        *coefficients, offset = row
        start = offset + sum(c * box[d][0] for d, c in enumerate(coefficients))
        reach = [c * (box[d][1] - box[d][0] - 1) for d, c in enumerate(coefficients)]
        low = start + sum(r for r in reach if r < 0)
        high = start + sum(r for r in reach if r > 0)
        if low < 0 or high >= array.shape[dim]:
            raise ValueError(f"dimension {dim} of size {array.shape[dim]} is accessed in [{low}, {high}]")
        starts.append(start)
        for d, coefficient in enumerate(coefficients):
            strides[d] += coefficient * array.strides[dim]
            if coefficient:
                sizes[d] = box[d][1] - box[d][0]
    first = array[tuple(slice(s, None) for s in starts)] if starts else array
    return np.lib.stride_tricks.as_strided(first, shape=sizes, strides=strides)


def whole(dims: tuple[int, ...]) -> Box:
    """The box of all iterations."""
    return tuple((0, extent) for extent in dims)


def size(box: Box) -> int:
    """Number of iterations in a box."""
    count = 1
    for first, past in box:
        count *= past - first
    return count


def parts(box: Box, loops: tuple[int, ...], most: int) -> list[Box]:
    """Cut a box along `loops`, the first ones first, into boxes of at most `most` iterations if it can be."""
    if size(box) <= most or not loops:
        return [box]
    loop, *rest = loops
    first, past = box[loop]
    inside = size(box) // (past - first)
    step = max(1, most // inside)
    cut: list[Box] = []
    for start in range(first, past, step):
        part = (*box[:loop], (start, min(past, start + step)), *box[loop + 1 :])
        cut += parts(part, tuple(rest), most)
    return cut


def contract(a: Array, b: Array, reduced: tuple[int, ...]) -> Array:
    """Sum of the products over the loops `reduced`, which stay as axes of size 1.

    `a` and `b` have an axis for each loop, of size 1 for loops they ignore; a reduced loop must belong
    to one of them at least. Runs as one matrix product (a batch of them where both have a loop that stays).
    """
    if a.ndim == 0:
        return np.asarray(a * b)
    ours = tuple(d for d in reduced if b.shape[d] == 1)
    theirs = tuple(d for d in reduced if a.shape[d] == 1 and d not in ours)
    a = a.sum(axis=ours, keepdims=True) if ours else a
    b = b.sum(axis=theirs, keepdims=True) if theirs else b
    axes = range(a.ndim)
    k = [d for d in axes if d in reduced and a.shape[d] > 1]
    stay = [d for d in axes if d not in reduced]
    batch = [d for d in stay if a.shape[d] > 1 and b.shape[d] > 1]
    m = [d for d in stay if d not in batch and a.shape[d] > 1]
    n = [d for d in stay if d not in batch and d not in m]
    rest = [d for d in axes if d in reduced and d not in k]
    left = _matrix(a, batch, m, k, [*n, *rest])
    right = _matrix(b, batch, k, n, [*m, *rest])
    product: Array = np.matmul(left, right)
    order = [*batch, *m, *n]
    shaped = product.reshape([max(a.shape[d], b.shape[d]) for d in order] + [1] * (a.ndim - len(order)))
    return np.asarray(shaped).transpose(np.argsort([*order, *(d for d in axes if d not in order)]))


def _matrix(x: Array, batch: list[int], rows: list[int], columns: list[int], unit: list[int]) -> Array:
    """`x` as batch x rows x columns; the axes `unit` have size 1."""
    moved = x.transpose([*batch, *rows, *columns, *unit])
    shape = [int(np.prod([x.shape[d] for d in group], dtype=np.int64)) for group in (batch, rows, columns)]
    return np.ascontiguousarray(moved).reshape(shape)
