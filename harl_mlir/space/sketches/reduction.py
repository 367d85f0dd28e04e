"""Reductions over one or several loops, with any number of operands, a fill and an epilogue.

Where the operands are contiguous along a parallel loop, vectors lie along the result and the
decisions are those of `accumulation` (by default eight registers wide: eight independent chains).
Where they are contiguous along a reduction loop, `width` partial results are kept and combined at
the end. The combiner's rounding depends on the order, so under `strict` that is for those that never round;
for all others vectors lie along the result.

The decisions of the second form are in `MEANINGS`.

Defaults: four registers wide (independent chains hide the latency of the combiner), and as many rows, up
to four, as divide the result and keep the partial results within sixteen registers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value, number
from harl_mlir.space.sketches import accumulation, nest
from harl_mlir.space.sketches.outer_steps import with_outer_steps
from harl_mlir.space.sketches.parts import TimesOf
from harl_mlir.space.sketches.plain_nests import partial_results
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import contraction_of, step_along
from harl_mlir.tasks.linalg_op import LinalgOp
from harl_mlir.tasks.task import Task

NAME = "reduction"
VERSION = 2

MEANINGS = {
    "width": "partial results of a row, combined at the end",
    "rows": "rows of the result done together; they share what is read along the reduction alone",
    "tail": "steps of what is left where width does not divide the loop",
}

# Combiners whose neutral element MLIR knows.
_COMBINERS = frozenset(
    {
        "arith.addf", "arith.addi", "arith.mulf", "arith.muli", "arith.maximumf", "arith.minimumf",
        "arith.maxnumf", "arith.minnumf", "arith.maxsi", "arith.minsi", "arith.maxui", "arith.minui",
        "arith.andi", "arith.ori", "arith.xori",
    }
)  # fmt: skip
_EXACT_COMBINERS = frozenset({"arith.maximumf", "arith.minimumf"})
_MOST_ROWS = 8
_DEFAULT_ROWS = 4
_DEFAULT_REGISTERS = 4


@dataclass(frozen=True)
class InnerRoles:
    """Roles where the operands are contiguous along a reduction loop.

    Attributes:
        along: that loop of the anchor.
        others: the other reduction loops with more than one step, outermost first.
        rows: the dimension of the result of which several steps are done together, or None.
    """

    along: int
    others: tuple[int, ...]
    rows: int | None


def inner_roles(task: Task) -> InnerRoles | None:
    """The roles of the second form, or None where it does not fit."""
    anchor = task.anchor_op
    if not anchor.reduction_dims or not nest.is_plain_task_of_any_rank(task) or accumulation.has_index(task):
        return None
    if any(member.op.reduction_dims for member in task.members if member.op is not anchor):
        return None
    if not combines(anchor) or not all(nest.has_plain_maps(member.op) for member in task.members):
        return None
    inputs = [operand for operand in anchor.inputs if operand.map]
    if not inputs:
        return None
    along = nest.innermost_loop(anchor, max(inputs, key=lambda operand: math.prod(operand.shape)))
    if along is None or along not in anchor.reduction_dims:
        return None
    others = tuple(d for d in anchor.reduction_dims if d != along and anchor.dims[d] > 1)
    long = [d for d, size in enumerate(task.root.op.init.shape) if size > 1]
    return InnerRoles(along, others, long[-1] if long else None)


def has_partial_results(candidate: Candidate) -> bool:
    """Whether the candidate is of the second form."""
    return "unroll" not in candidate.assignment


def combines(op: LinalgOp) -> bool:
    """Whether the body is `combiner(init, f(inputs))` with a combiner of known neutral element."""
    init = len(op.operands) - 1
    first = len(op.operands)
    last = op.yields - first
    if not 0 <= last < len(op.body) or op.body[last].name not in _COMBINERS:
        return False
    uses = [body for body in op.body for operand in body.operands if operand == init]
    return uses == [op.body[last]]


def is_exact(op: LinalgOp) -> bool:
    """Whether an op that combines gives the same to the bit in any order.

    Of two zeros `maxnumf` and `minnumf` may give either.
    """
    combiner = op.body[op.yields - len(op.operands)]
    return not op.init.element.startswith(("f", "bf")) or combiner.name in _EXACT_COMBINERS


def spaces(task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> tuple[Space, ...]:
    """The choices for a reduction with its fill and epilogue."""
    anchor = task.anchor_op
    contraction = contraction_of(anchor) is not None
    if not anchor.reduction_dims or not nest.has_plain_maps(anchor):
        return ()
    roles = inner_roles(task)
    if roles is not None and accuracy == "strict" and not is_exact(anchor):
        roles = None
    if roles is not None and not (contraction and sum(s > 1 for s in anchor.init.shape) > 1):
        return (_inner_space(task, roles, processor),)
    outer = accumulation.roles_of(task)
    if outer is None or contraction:
        return ()
    space = accumulation.space(task, outer, processor, NAME, VERSION, registers=8, rows=1, unroll=4)
    return (with_outer_steps(space, task, outer, processor),)


def _inner_space(task: Task, roles: InnerRoles, processor: Processor) -> Space:
    lanes = nest.lanes_of(task, processor)
    widths = nest.widths(task.anchor_op.dims[roles.along], lanes)
    heights = (1,) if roles.rows is None else nest.divisors(task.root.op.init.shape[roles.rows], _MOST_ROWS)
    width = nest.largest(widths, _DEFAULT_REGISTERS * lanes)
    allowed = min(_DEFAULT_ROWS, nest.REGISTERS_PER_VALUE * lanes / width)

    reductions = [d for d in task.anchor_op.reduction_dims if task.anchor_op.dims[d] > 1]

    def legal(values: Mapping[str, Value]) -> bool:
        return nest.fits_registers(values, ("width", "rows"), lanes)

    return Space(
        NAME,
        VERSION,
        (
            Decision("width", widths, width, meaning=MEANINGS["width"]),
            Decision("rows", heights, nest.largest(heights, allowed), meaning=MEANINGS["rows"]),
            Decision("tail", (lanes,), lanes, meaning=MEANINGS["tail"]),
        ),
        legal,
        partial_results(task, roles.along, roles.rows, reductions, lanes, processor),
    )


def inside_of(space: Space, task: Task, operand: int) -> TimesOf | None:
    """How often each element of an operand is computed, by decisions, if that is done where it is read.

    None for sketches and forms that do not at all.
    """
    op, roles = task.anchor_op, inner_roles(task)
    if space.sketch != NAME or roles is None or not has_partial_results(space.default()) or not op.init.map:
        return None
    again = [d for d in op.parallel_dims if not step_along(op.operands[operand], d)]

    def times(values: Mapping[str, Value]) -> int:
        rows = None if roles.rows is None else op.result_loops[roles.rows]
        return math.prod(op.dims[d] // (number(values["rows"]) if d == rows else 1) for d in again)

    return times
