"""The loop nests of contractions by dot products; a group of contracted steps counts as steps in the body."""

from __future__ import annotations

import numpy as np

from harl_mlir.processor import Processor
from harl_mlir.space.loop_nests import Columns, Ints, Nests, NestsOf, nests
from harl_mlir.space.sketches.statements import place_of, statement_of
from harl_mlir.tasks.contraction import Contraction
from harl_mlir.tasks.task import Task


def dotted(
    task: Task,
    roles: Contraction,
    row: int,
    along: int,
    group: int,
    panels: bool,
    lanes: int,
    processor: Processor,
) -> NestsOf:
    """Nests around register tiles of rows and vectors.

    `row` is the loop of the tile's rows, `along` the contracted one that goes in groups. The vector operand
    is copied in `panels`, or before all loops; so is the other one where groups do not lie together in it.
    """
    op = task.anchor_op
    statement = statement_of(task, roles.vector, lanes, processor)
    vectors, broadcast = place_of(task, roles.vector_operand), place_of(task, roles.broadcast_operand)
    around = [*roles.batch, *roles.columns]
    single = [d for d in roles.rows if d != row]
    others = [d for d in op.reduction_dims if d != along]
    is_turned = not op.operands[roles.broadcast_operand].map[-1][along]

    def of(columns: Columns) -> Nests:
        depth: Ints = columns["depth"]
        blocks = np.where(depth > 0, depth * group, op.dims[along])
        steps: list[Ints | int] = [*[1] * len(around), columns["vector"], blocks]
        steps += [*[1] * len(single), columns["rows"], *[1] * len(others), 1]
        loops: list[Ints | int] = [*around, roles.vector, along, *single, row, *others, along]
        made = nests(statement, loops, steps, columns["unroll"] * group, len(depth))
        if vectors is not None:
            made.packed[vectors] = len(around) + 1 if panels else 0
            made.hoisted[vectors] = panels
        if broadcast is not None and is_turned:
            made.packed[broadcast] = 0
        return made

    return of
