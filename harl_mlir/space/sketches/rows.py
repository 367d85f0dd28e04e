"""Row operations: softmax, layer normalisation and their like, all ops fused into one loop over rows.

The rows of a step are done op by op, in vectors along the row, while they are in the nearest cache. A
reduction of rows keeps `width` partial results and combines them at the end; under `strict` accuracy
those that round are done element by element, in order.

The decisions are in `MEANINGS`. Defaults: four registers wide; two rows a step.
"""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.sketches import nest
from harl_mlir.space.sketches.reduction import combines, is_exact
from harl_mlir.space.space import Space
from harl_mlir.tasks.linalg_op import LinalgOp
from harl_mlir.tasks.rows import Rows, common_rows
from harl_mlir.tasks.task import Task

NAME = "rows"
VERSION = 1

MEANINGS = {
    "rows": "rows done together in a step of the outer loop",
    "width": "elements of a vector along the row",
    "sums": "whether rows are reduced in any order (vectors), or in order where that rounds (ordered)",
    "tail": "elements of the narrower vectors that follow where width does not divide the row",
}

_MOST_ROWS = 16
_DEFAULT_ROWS = 2
_DEFAULT_REGISTERS = 4


def roles_of(task: Task) -> Rows | None:
    """The task's rows, or None where it is no row operation."""
    if not nest.is_plain_task(task):
        return None
    return common_rows(member.op for member in task.members if not member.op.is_fill)


def stepped(rows: Rows) -> int:
    """The dimension of which several rows are done in a step: the innermost with several."""
    return max(d for d, count in enumerate(rows.counts) if count > 1)


def in_vectors(op: LinalgOp, sums: str) -> bool:
    """Whether a reduction of rows is done in vectors."""
    return combines(op) and (sums == "vectors" or is_exact(op))


def spaces(task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> tuple[Space, ...]:
    """The choices for a row operation."""
    rows = roles_of(task)
    if rows is None:
        return ()
    lanes = nest.lanes_of(task, processor)
    widths = nest.widths(rows.length, lanes)
    count = rows.counts[stepped(rows)]
    heights = tuple(n for n in nest.divisors(count, _MOST_ROWS) if n < count)
    sums = "ordered" if accuracy == "strict" else "vectors"

    def legal(values: Mapping[str, Value]) -> bool:
        return nest.fits_registers(values, ("width", "rows"), lanes)

    return (
        Space(
            NAME,
            VERSION,
            (
                Decision("rows", heights, nest.largest(heights, _DEFAULT_ROWS), meaning=MEANINGS["rows"]),
                Decision(
                    "width",
                    widths,
                    nest.largest(widths, _DEFAULT_REGISTERS * lanes),
                    meaning=MEANINGS["width"],
                ),
                Decision("sums", (sums,), sums, ordered=False, meaning=MEANINGS["sums"]),
                Decision("tail", (lanes,), lanes, meaning=MEANINGS["tail"]),
            ),
            legal,
        ),
    )
