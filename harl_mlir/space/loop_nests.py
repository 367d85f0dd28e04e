"""The loop nests that many candidates of one space come to, as arrays, without compiling any.

Arrays have candidates along their last dimension, so that a loop over everything else is short.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harl_mlir.processor import Processor
from harl_mlir.tasks.linalg_op import AffineRow, loops_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]
"""The values of each decision, one a candidate: int64 or text."""

Part = Literal["vector", "broadcast", "result"]
PARTS: tuple[Part, ...] = ("vector", "broadcast", "result")
"""Operands that move along the vectors, inputs that do not, and what is computed."""

LINE_BYTES = 64


@dataclass(frozen=True)
class Access:
    """An operand in memory as the loops of the nest move through it; `map` is that of `Operand`."""

    shape: tuple[int, ...]
    element_bytes: int
    map: tuple[AffineRow, ...]
    part: Part

    def stride(self, loop: int) -> int:
        """Elements (row-major) that one step of a loop moves."""
        stride, total = 1, 0
        for size, row in zip(reversed(self.shape), reversed(self.map), strict=True):
            total += row[loop] * stride
            stride *= size
        return total

    def moves(self, loop: int) -> bool:
        """Whether a loop moves through the operand at all."""
        return any(row[loop] for row in self.map)


@dataclass(frozen=True)
class Statement:
    """What the innermost body of every nest of a space computes.

    Attributes:
        dims: extents of the loops of the op.
        reductions: those that are summed over.
        accesses: operands in memory, also those of fused producers and consumers.
        vector: the loop along the lanes, or None where elements are computed one by one.
        lanes: elements of a vector register.
        operations: arithmetic operations of one point; a product and its sum are one.
        by_rows: whether each row of a tile of several is computed by itself.
        turned_bytes: what is copied once, before the nest, with its dimensions in another order.
        processor: whose caches and registers there are.
    """

    dims: tuple[int, ...]
    reductions: tuple[int, ...]
    accesses: tuple[Access, ...]
    vector: int | None
    lanes: int
    operations: int
    processor: Processor
    by_rows: bool = False
    turned_bytes: int = 0

    @cached_property
    def strides(self) -> Floats:
        """(A, D + 1): elements that a step of each loop moves each access; the last, for no loop, is 0."""
        found = [[*(abs(access.stride(d)) for d in range(len(self.dims))), 0] for access in self.accesses]
        return np.array(found, dtype=np.float64)

    @cached_property
    def moves(self) -> Floats:
        """(3, D + 1): 1 where a loop moves an operand of each part; the last is for no loop."""
        found = np.zeros((len(PARTS), len(self.dims) + 1))
        for access in self.accesses:
            for d in range(len(self.dims)):
                found[PARTS.index(access.part), d] += access.moves(d)
        return np.minimum(found, 1.0)


@dataclass(frozen=True, eq=False)
class Nests:
    """The nests of N candidates, of S loops each; a level s is what the loops before number s leave.

    Level 0 is the whole op and level S the register tile, of which all points are computed at once.

    Attributes:
        statement: what all of them compute.
        loops: (S, N) which loop of the op each loop of the nest steps through, outermost first.
        steps: (S, N) how far it steps; one that makes a single step does nothing.
        unroll: (N,) steps of the innermost loop that stand in its body.
        packed: (A, N) at which level each access is copied to lie together; -1 where it is not.
        hoisted: (A, N) whether that copy leaves the loops around it that do not change it.
        passed: (N,) bytes that go through memory once more: what is made before the nest, or finished
            after it.
        again: (N,) operations on elements beyond those of the statement's points, where what a producer
            makes is computed as it is read.
    """

    statement: Statement
    loops: Ints
    steps: Ints
    unroll: Ints
    packed: Ints
    hoisted: NDArray[np.bool_]
    passed: Floats | float = 0.0
    again: Floats | float = 0.0

    @property
    def count(self) -> int:
        """N."""
        return int(self.loops.shape[1])

    @cached_property
    def tiles(self) -> Floats:
        """(D, S + 1, N): the extent of each loop of the op at each level."""
        dims = np.array(self.statement.dims, dtype=np.float64)
        slots, count = self.loops.shape
        tiles = np.empty((len(dims), slots + 1, count))
        tiles[:, 0] = dims[:, None]
        each = np.arange(count)
        for s in range(slots):
            inside, outside, loop = tiles[:, s + 1], tiles[:, s], self.loops[s]
            inside[:] = outside
            inside[loop, each] = np.minimum(self.steps[s], outside[loop, each])
        return tiles

    @cached_property
    def ratios(self) -> Floats:
        """(S, N): how many steps a loop makes, a last part of one counted as a part."""
        slots, count = self.loops.shape
        level, each = np.arange(slots)[:, None], np.arange(count)[None, :]
        ratios: Floats = self.tiles[self.loops, level, each] / self.tiles[self.loops, level + 1, each]
        return ratios

    @cached_property
    def trips(self) -> Floats:
        """(S, N): how many steps a loop makes."""
        return np.ceil(self.ratios)

    @cached_property
    def executions(self) -> Floats:
        """(S + 1, N): how often each level is entered; parts of steps count as parts."""
        ones = np.ones((1, self.count))
        executions: Floats = np.concatenate([ones, np.cumprod(self.ratios, axis=0)])
        return executions

    def footprint(self, access: Access) -> Floats:
        """(S + 1, N): distinct elements that each level touches.

        Exact where each dimension moves with one loop, or with two of which one has the coefficient 1.
        """
        total = np.ones(self.tiles.shape[1:])
        for size, row in zip(access.shape, access.map, strict=True):
            total = total * self._distinct(size, row)
        return total

    def line_bytes(self, access: Access) -> Floats:
        """(S + 1, N): bytes of the cache lines that each level touches, if its pieces start at lines."""
        run = np.ones(self.tiles.shape[1:])
        pieces, whole = np.ones_like(run), np.ones_like(run, dtype=bool)
        for place, (size, row) in enumerate(zip(reversed(access.shape), reversed(access.map), strict=True)):
            touched = self._distinct(size, row)
            if place == 0:
                # Elements that a stride leaves out are in the same lines.
                touched = np.where(touched > 1, np.minimum(self._span(row), size), touched)
            run = np.where(whole, run * touched, run)
            pieces = np.where(whole, pieces, pieces * touched)
            whole = whole & (touched >= size)
        lines: Floats = pieces * np.ceil(run * (access.element_bytes / LINE_BYTES)) * LINE_BYTES
        return lines

    def _distinct(self, size: int, row: AffineRow) -> Floats:
        loops = loops_of(row)
        if not loops:
            return np.ones(self.tiles.shape[1:])
        if len(loops) == 1:
            tiles: Floats = self.tiles[loops[0]]
            return tiles
        product: Floats = np.prod(self.tiles[loops], axis=0)
        distinct: Floats = np.minimum(np.minimum(product, self._span(row)), size)
        return distinct

    def _span(self, row: AffineRow) -> Floats:
        """From the first element touched to the last."""
        span = np.ones(self.tiles.shape[1:])
        for loop in loops_of(row):
            span = span + abs(row[loop]) * (self.tiles[loop] - 1)
        return span


NestsOf = Callable[[Columns], Nests]
"""The nests of candidates, given the values of their decisions."""


def nests(
    statement: Statement, loops: list[Ints | int], steps: list[Ints | int], unroll: Ints | int, count: int
) -> Nests:
    """Nests of `count` candidates without copies; a number stands for the same in all of them."""

    def rows(values: list[Ints | int]) -> Ints:
        made = np.empty((len(values), count), dtype=np.int64)
        for place, value in enumerate(values):
            made[place] = value
        return made

    accesses = len(statement.accesses)
    return Nests(
        statement,
        rows(loops),
        rows(steps),
        np.broadcast_to(np.asarray(unroll, dtype=np.int64), count),
        np.full((accesses, count), -1, dtype=np.int64),
        np.zeros((accesses, count), dtype=np.bool_),
    )


def inside_of(nests: Nests, steps: Mapping[int, Sequence[int]]) -> Nests:
    """The same nests inside loops over tiles; `steps` says for each loop of the op how far it steps there."""
    count = len(steps)
    loops = np.array([[loop] * nests.count for loop in steps], dtype=np.int64).reshape(count, nests.count)
    sizes = np.array(list(steps.values()), dtype=np.int64).reshape(count, nests.count)
    return replace(
        nests,
        loops=np.concatenate([loops, nests.loops]),
        steps=np.concatenate([sizes, nests.steps]),
        packed=np.where(nests.packed < 0, -1, nests.packed + count),
    )
