"""What an estimate sees of a nest: its loops, as the cost model of the search sees them, and its marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harl_mlir.processor import Processor
from harl_mlir.search.nest_columns import COLUMNS as OF_LOOPS
from harl_mlir.search.nest_features import nest_rows
from harl_mlir.space.loop_nests import Nests, Statement
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.pieces import pieces_of
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.sketches.statements import statement_of
from harl_mlir.tasks.task import Task

Rows = NDArray[np.float32]
_UNROLLED = 4

_OF_MARKS: tuple[tuple[str, str], ...] = (
    ("is_vector", "1 where the innermost loop is a vector"),
    ("is_sum", "1 where that vector is summed"),
    ("width", "log of the vector's elements"),
    ("tile", "registers of the tile of the result"),
    ("unrolled", "log of the vector operations in the body"),
    ("hoisted", "log of the steps of the reduction loops over which sums stay in registers"),
    ("filled_inside", "1 where the result is filled tile by tile"),
    ("pieces", "pieces that loops are cut into"),
    *(
        (f"{what}_unrolled_{i}", f"{meaning} unrolled loop {i} from the innermost")
        for i in range(_UNROLLED)
        for what, meaning in (
            ("trips", "log of the steps of"),
            ("sums", "1 where a reduction is"),
            ("loads_v", "1 where the vector operand moves with"),
            ("loads_b", "1 where the other operand moves with"),
        )
    ),
)
COLUMNS: tuple[str, ...] = (*OF_LOOPS, *(name for name, _ in _OF_MARKS))
"""The names of the columns, in order."""


@dataclass(frozen=True)
class NestColumns:
    """Turns nests of one task into rows."""

    task: Task
    rules: NestRules
    processor: Processor

    def rows(self, nests: Sequence[LoopNest]) -> Rows:
        """A row of `COLUMNS` for each nest."""
        found = np.empty((len(nests), len(COLUMNS)), dtype=np.float32)
        by_vector: dict[int | None, list[int]] = {}
        for number, nest in enumerate(nests):
            by_vector.setdefault(nest.loops[-1].dim if nest.marked else None, []).append(number)
        for vector, numbers in by_vector.items():
            chosen = [nests[n] for n in numbers]
            found[numbers, : len(OF_LOOPS)] = nest_rows(self.task, _arrays(self._statement(vector), chosen))
        found[:, len(OF_LOOPS) :] = [self._of_marks(nest) for nest in nests]
        return found

    @cached_property
    def _statements(self) -> dict[int | None, Statement]:
        return {}

    def _statement(self, vector: int | None) -> Statement:
        if vector not in self._statements:
            made = statement_of(self.task, vector, self.rules.lanes, self.processor)
            self._statements[vector] = made
        return self._statements[vector]

    def _of_marks(self, nest: LoopNest) -> list[float]:
        """The columns of `_OF_MARKS`."""
        op = self.rules.op
        registers, body = self.rules.register_tile(nest)
        first = len(nest.loops) - nest.marked
        steps = 0.0
        for number in reversed(range(first)):
            if op.iterators[nest.loops[number].dim] == "parallel":
                break
            steps += math.log2(nest.trips[number])
        kinds = [op.iterators[loop.dim] for loop in nest.loops[:first]]
        inside = "reduction" not in kinds or "parallel" not in kinds[kinds.index("reduction") :]
        vector = nest.loops[-1].dim if nest.marked else None
        found = [
            float(vector is not None),
            float(vector is not None and op.iterators[vector] == "reduction"),
            math.log2(nest.extents[-1]) if vector is not None else 0.0,
            float(registers),
            math.log2(body),
            steps,
            float(inside),
            float(len(pieces_of(nest))) if any(nest.tails) else 1.0,
        ]
        unrolled = [number for number in range(first, len(nest.loops)) if nest.loops[number].mark == "u"]
        for number in unrolled[::-1][:_UNROLLED]:
            found += self._of_unrolled(nest, number, vector)
        return found + [0.0] * (len(_OF_MARKS) - len(found))

    def _of_unrolled(self, nest: LoopNest, number: int, vector: int | None) -> list[float]:
        dim = nest.loops[number].dim
        moved = {True: 0.0, False: 0.0}
        for operand in self.rules.op.inputs:
            if any(row[dim] for row in operand.map):
                moved[vector is not None and any(row[vector] for row in operand.map)] = 1.0
        is_sum = float(self.rules.op.iterators[dim] == "reduction")
        return [math.log2(nest.trips[number]), is_sum, moved[True], moved[False]]


def _arrays(statement: Statement, nests: Sequence[LoopNest]) -> Nests:
    """The nests as arrays: what is unrolled of a reduction is the innermost loop, other marks the tile."""
    listed = [_loops_of(statement, nest) for nest in nests]
    # One at least, idle where all that there is is in the tile.
    slots = max(1, *(len(loops) for loops, _ in listed))
    idle = (0, statement.dims[0])
    padded = [[idle] * (slots - len(loops)) + loops for loops, _ in listed]
    table = np.array(padded, dtype=np.int64).reshape(len(nests), slots, 2)
    accesses = len(statement.accesses)
    return Nests(
        statement,
        np.ascontiguousarray(table[:, :, 0].T),
        np.ascontiguousarray(table[:, :, 1].T),
        np.array([unroll for _, unroll in listed], dtype=np.int64),
        np.full((accesses, len(nests)), -1, dtype=np.int64),
        np.zeros((accesses, len(nests)), dtype=np.bool_),
    )


def _loops_of(statement: Statement, nest: LoopNest) -> tuple[list[tuple[int, int]], int]:
    first = len(nest.loops) - nest.marked
    loops = [(loop.dim, loop.step) for loop in nest.loops[:first]]
    unroll = 1
    for number in range(first, len(nest.loops)):
        loop = nest.loops[number]
        if loop.mark == "u" and loop.dim in statement.reductions:
            loops.append((loop.dim, loop.step))
            unroll *= nest.trips[number]
    return loops, unroll
