"""Row operations: softmax, layer normalisation and their like, all ops fused into one loop over rows.

The rows of a step are done op by op, in vectors along the row, while they are in the nearest cache. A
reduction of rows keeps `width` partial results and combines them at the end; under `strict` accuracy
those that round are done element by element, in order.

The decisions are in `MEANINGS`. Defaults: four registers wide; two rows a step. Rows larger than the nearest
cache of which exponentials are summed are gone through one by one, two registers wide, in chunks that stay
there.
"""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.sketches import nest
from harl_mlir.space.sketches.accumulation import has_index
from harl_mlir.space.sketches.reduction import combines, is_exact
from harl_mlir.space.sketches.row_nests import row_nests
from harl_mlir.space.space import Space
from harl_mlir.tasks.linalg_op import LinalgOp
from harl_mlir.tasks.rows import Rows, common_rows
from harl_mlir.tasks.task import Task, element_bytes

NAME = "rows"
VERSION = 1
PLACES_VERSION = 2
"""Of rows in which an op uses its place."""

MEANINGS = {
    "rows": "rows done together in a step of the outer loop",
    "width": "elements of a vector along the row",
    "sums": "whether rows are reduced in any order (vectors), or in order where that rounds (ordered)",
    "chunk": "elements whose greatest is found before their exponentials are summed (online); 0: the row's",
    "tail": "elements of the narrower vectors that follow where width does not divide the row",
}

_MOST_ROWS = 16
_DEFAULT_ROWS = 2
_DEFAULT_REGISTERS = 4
# Exponentials of four take a tenth longer.
_REGISTERS_IN_CHUNKS = 2
_CHUNKS = (0, 1024, 2048, 4096)
_DEFAULT_CHUNK = 1024


def roles_of(task: Task) -> Rows | None:
    """The task's rows, or None where it is no row operation."""
    if not nest.is_plain_task(task):
        return None
    # Places of greatest elements that are a result, too, are found by one op, which no other sketch takes.
    least = 1 if has_index(task) else 2
    return common_rows((member.op for member in task.members if not member.op.is_fill), least)


def stepped(rows: Rows) -> int:
    """The dimension of which several rows are done in a step: the innermost with several."""
    return max(d for d, count in enumerate(rows.counts) if count > 1)


def in_vectors(op: LinalgOp, sums: str) -> bool:
    """Whether a reduction of rows is done in vectors."""
    return combines(op) and (sums == "vectors" or is_exact(op))


def sums_exponentials(task: Task) -> bool:
    """Whether a task has the rows' sums of exponentials relative to the rows' greatest elements.

    They have to be f32 or f64 in memory, too: in chunks of f16 and bf16, of which rows are half as long,
    nothing is gained.
    """
    reductions = [member.op for member in task.members if member.op.reduction_dims]
    wide = (op for op in reductions if {operand.element for operand in op.operands} in ({"f32"}, {"f64"}))
    combiners = {op.body[-1].name for op in wide}
    powers = [member.op for member in task.members if _is_relative_power(member.op)]
    return len(powers) == 1 and {"arith.maximumf", "arith.addf"} <= combiners


def _is_relative_power(op: LinalgOp) -> bool:
    """Whether an op has an exponential of a difference, and at most adds it up."""
    first = len(op.operands)
    for power in (body for body in op.body if body.name == "math.exp"):
        less = power.operands[0] - first
        return less >= 0 and op.body[less].name == "arith.subf"
    return False


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
    chunk = () if accuracy == "strict" else _chunk(rows, processor, task)
    step = 1 if chunk else _DEFAULT_ROWS
    usual = nest.largest(widths, (_REGISTERS_IN_CHUNKS if chunk else _DEFAULT_REGISTERS) * lanes)

    def legal(values: Mapping[str, Value]) -> bool:
        return nest.fits_registers(values, ("width", "rows"), lanes)

    return (
        Space(
            NAME,
            PLACES_VERSION if has_index(task) else VERSION,
            (
                Decision("rows", heights, nest.largest(heights, step), meaning=MEANINGS["rows"]),
                Decision("width", widths, usual, meaning=MEANINGS["width"]),
                Decision("sums", (sums,), sums, ordered=False, meaning=MEANINGS["sums"]),
                Decision("tail", (lanes,), lanes, meaning=MEANINGS["tail"]),
                *chunk,
            ),
            legal,
            row_nests(task, rows, stepped(rows), lanes, processor),
        ),
    )


def _chunk(rows: Rows, processor: Processor, task: Task) -> tuple[Decision, ...]:
    """The decision on chunks, where rows of which exponentials are summed are long."""
    row_bytes = rows.length * element_bytes(task.members[0].op.init.element)
    if row_bytes <= processor.l1_bytes or not sums_exponentials(task):
        return ()
    return (Decision("chunk", _CHUNKS, _DEFAULT_CHUNK, meaning=MEANINGS["chunk"]),)
