"""Which elementwise results are stored past the caches, and how many of their rows at once."""

from __future__ import annotations

import math

from harl_mlir.processor import Processor
from harl_mlir.space.sketches import nest
from harl_mlir.space.sketches.elementwise_roles import Roles
from harl_mlir.tasks.task import Task, element_bytes

_LINE_BYTES = 64
_PAGE_BYTES = 4096
_LONG_ROW_BYTES = 1024
_ROWS_TOGETHER = 4


def may_stream(task: Task, roles: Roles, processor: Processor) -> bool:
    """Whether what reads the result will not find it in a cache anyway, and it is written in whole lines.

    Rows of other lengths are where they are done as one, or are long, one after the other.
    """
    result = task.root.op.init
    row = result.shape[-1] * element_bytes(result.element)
    size = math.prod(result.shape) * element_bytes(result.element)
    whole = row % _LINE_BYTES == 0
    shifted = roles.flattens or (not roles.transposed and row >= _LONG_ROW_BYTES)
    return size > processor.l3_bytes // 2 and (whole or shifted)


def rows_together(task: Task, roles: Roles, rows: tuple[int, ...], processor: Processor) -> int:
    """How many rows that are streamed are done at once by default.

    One: memory is read fastest in one place after the other. Several where an operand is the same for all
    of them and as long as a page or more: it is then read from the caches once for these.
    """
    result = task.root.op.init
    row = result.shape[-1] * element_bytes(result.element)
    second = roles.second
    shared = second is not None and any(
        len(operand.shape) and not any(row[member.op.result_loops[second]] for row in operand.map)
        for member in task.members
        for operand in member.op.inputs
    )
    several = shared and row >= _PAGE_BYTES and row % _LINE_BYTES == 0 and may_stream(task, roles, processor)
    return nest.largest(rows, _ROWS_TOGETHER) if several else 1
