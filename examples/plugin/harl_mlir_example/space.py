"""The sketch `row_blocks`: an op as it is, in blocks of its result. This half runs in the main process.

Decisions:
    rows, columns: steps of the result's first and last dimension; they divide it. A block of several rows has
        to fit in the L1 cache.

Default: whole rows, as many as that allows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from harl_mlir.accuracy import Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision, Value, number
from harl_mlir.space.sketch import Sketch
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task, element_bytes

NAME = "row_blocks"
VERSION = 1
"""Raised when the same values come to mean another schedule."""


def space(task: Task, processor: Processor, accuracy: Accuracy) -> Space | None:
    """The choices for a task of one op, perhaps with what fills its result before.

    Blocks change the order of no sum, so they keep any accuracy.
    """
    shape = task.root.op.init.shape
    if task.anchor != len(task.members) - 1 or task.results != (task.anchor,):
        return None
    if len(shape) < 2 or shape[0] == 1:
        return None
    rows, columns = _divisors(shape[0])[:-1], _divisors(shape[-1])
    bytes_between = math.prod(shape[1:-1]) * element_bytes(task.root.op.init.element)

    def legal(values: Mapping[str, Value]) -> bool:
        wide = number(values["columns"]) * bytes_between
        return values["rows"] == 1 or number(values["rows"]) * wide <= processor.l1_bytes

    default = max(n for n in rows if legal({"rows": n, "columns": columns[-1]}))
    return Space(
        NAME, VERSION, (Decision("rows", rows, default), Decision("columns", columns, columns[-1])), legal
    )


def _divisors(extent: int) -> tuple[int, ...]:
    return tuple(n for n in range(1, extent + 1) if extent % n == 0)


ROW_BLOCKS = Sketch(space, emit="harl_mlir_example.schedule:emit")
