"""The statement at the heart of a task's loop nests: the anchor's, with what is fused to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harl_mlir.processor import Processor
from harl_mlir.space.loop_nests import Access, Part, Statement
from harl_mlir.tasks.linalg_op import FREE_OPS, LinalgOp, Operand
from harl_mlir.tasks.task import Member, Task, element_bytes

_SLOW = {"arith.divf": 8, "arith.divsi": 16, "arith.divui": 16, "arith.remf": 32}
_FUNCTION = 16
"""Simple operations that one of the `math` dialect is worth, about."""


def statement_of(
    task: Task, vector: int | None, lanes: int, processor: Processor, reads: Sequence[Operand] | None = None
) -> Statement:
    """The statement over the loops of the task's anchor, of which `vector` lies along the lanes.

    The results of all members must have the dimensions of the anchor's. `reads` are the anchor's
    operands where they are not read as they came. What passes from one member to another stays in registers,
    as do scalars and constants.
    """
    anchor = task.anchor_op
    found: list[Access] = []
    for number, member in enumerate(task.members):
        operands = member.op.operands
        if number == task.anchor and reads is not None:
            operands = tuple(reads)
        loops = _loops_in(anchor, member.op)
        for place, operand in enumerate(operands):
            is_result = member is task.root and place == len(operands) - 1
            if is_result or _is_read(member, place):
                found.append(_access(operand, loops, vector, is_result=is_result, count=len(anchor.dims)))
    return Statement(
        dims=anchor.dims,
        reductions=anchor.reduction_dims,
        accesses=tuple(found),
        vector=vector,
        lanes=lanes,
        operations=operations_of(task),
        processor=processor,
    )


def place_of(task: Task, operand: int) -> int | None:
    """The number of the access that is operand `operand` of the anchor; None where none is."""
    if not _is_read(task.members[task.anchor], operand):
        return None
    earlier = [
        (number, place)
        for number, member in enumerate(task.members[: task.anchor + 1])
        for place in range(len(member.op.operands))
        if _is_read(member, place) and (number < task.anchor or place < operand)
    ]
    return len(earlier)


def _is_read(member: Member, place: int) -> bool:
    operand, kind = member.op.operands[place], member.sources[place].kind
    is_init = place == len(member.op.operands) - 1
    if is_init and not member.op.reads_init:
        return False
    return bool(operand.map) and kind in ("argument", "other")


def _loops_in(anchor: LinalgOp, op: LinalgOp) -> dict[int, int]:
    """The anchor's loop behind each loop of a member."""
    if op is anchor:
        return {d: d for d in range(len(anchor.dims))}
    return dict(zip(op.result_loops, anchor.result_loops, strict=False))


def _access(
    operand: Operand, loops: dict[int, int], vector: int | None, *, is_result: bool, count: int
) -> Access:
    rows: list[tuple[int, ...]] = []
    for row in operand.map:
        made = [0] * count
        for loop, coefficient in enumerate(row[:-1]):
            if coefficient and loop in loops:
                made[loops[loop]] += coefficient
        rows.append((*made, row[-1]))
    moves = vector is not None and any(row[vector] for row in rows)
    part: Part = "result" if is_result else "vector" if moves else "broadcast"
    return Access(operand.shape, element_bytes(operand.element), tuple(rows), part)


def operations_of(task: Task) -> int:
    """Vector operations of one point of the anchor, those of all members shared out among its points."""
    total = 0.0
    for member in task.members:
        names = [body.name for body in member.op.body if body.name not in FREE_OPS]
        cost = sum(_SLOW.get(name, _FUNCTION if name.startswith("math.") else 1) for name in names)
        if any(name.startswith("arith.mul") for name in names) and member.op.reduction_dims:
            cost -= 1  # a product and its sum
        total += cost * math.prod(member.op.dims) / math.prod(task.anchor_op.dims)
    return max(1, round(total))
