"""Which elementwise results are stored past the caches, and how many of their rows at once."""

from __future__ import annotations

import math

from harl_mlir.processor import Processor
from harl_mlir.space.sketches import nest
from harl_mlir.space.sketches.elementwise_roles import Roles
from harl_mlir.tasks.task import Task, element_bytes

_LINE_BYTES = 64
_NEAR_BYTES = 8192
_LONG_ROW_BYTES = 1024
_LINES_FOLLOWED = 8


def may_stream(task: Task, roles: Roles, processor: Processor) -> bool:
    """Whether what reads the result will not find it in a cache anyway, and it is written in whole lines.

    Rows of other lengths are where they are done as one, or are long, one after the other. Masks are a part
    of what goes through the caches with them.
    """
    result = task.root.op.init
    row = result.shape[-1] * element_bytes(result.element)
    size = math.prod(result.shape) * element_bytes(result.element)
    whole = row % _LINE_BYTES == 0
    shifted = roles.flattens or (not roles.transposed and row >= _LONG_ROW_BYTES)
    large = size > processor.l3_bytes // 2 or (nest.has_masks(task) and task.bytes > 2 * processor.l3_bytes)
    return large and (whole or shifted)


def rows_together(task: Task, roles: Roles, rows: tuple[int, ...], processor: Processor) -> int:
    """How many rows that are streamed are done at once by default.

    One: memory is read fastest in one place after the other. Several where an operand is the same for all
    of them and too long to stay in the first cache beside what is streamed: it is then read once for these.
    They are as many as are read in eight places.
    """
    result = task.root.op.init
    row = result.shape[-1] * element_bytes(result.element)
    second = roles.second
    if second is None or row <= _NEAR_BYTES or row % _LINE_BYTES or not may_stream(task, roles, processor):
        return 1
    moved = [
        any(row[member.op.result_loops[second]] for row in operand.map)
        for member in task.members
        for operand, source in zip(member.op.inputs, member.sources, strict=False)
        if len(operand.shape) and source.kind == "argument"
    ]
    return 1 if all(moved) else nest.largest(rows, _LINES_FOLLOWED // max(1, sum(moved)))
