"""Which elementwise results are stored past the caches, and how many of their rows at once."""

from __future__ import annotations

import math

from harl_mlir.processor import Processor
from harl_mlir.space.sketches import nest
from harl_mlir.tasks.task import Task, element_bytes

_LINE_BYTES = 64
_PAGE_BYTES = 4096
_ROWS_TOGETHER = 4


def may_stream(task: Task, processor: Processor) -> bool:
    """Whether what reads the result will not find it in a cache anyway, and rows are whole lines."""
    result = task.root.op.init
    row = result.shape[-1] * element_bytes(result.element)
    size = math.prod(result.shape) * element_bytes(result.element)
    return size > processor.l3_bytes // 2 and row % _LINE_BYTES == 0


def rows_together(task: Task, second: int | None, rows: tuple[int, ...], processor: Processor) -> int:
    """How many rows that are streamed are done at once by default.

    One: memory is read fastest in one place after the other. Several where an operand is the same for all
    of them and as long as a page or more: it is then read from the caches once for these.
    """
    result = task.root.op.init
    paged = result.shape[-1] * element_bytes(result.element) >= _PAGE_BYTES
    shared = second is not None and any(
        len(operand.shape) and not any(row[member.op.result_loops[second]] for row in operand.map)
        for member in task.members
        for operand in member.op.inputs
    )
    return nest.largest(rows, _ROWS_TOGETHER) if shared and paged and may_stream(task, processor) else 1
