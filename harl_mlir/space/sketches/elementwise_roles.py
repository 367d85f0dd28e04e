"""What the dimensions of an elementwise task are to its schedule, and how its operands lie along them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harl_mlir.space.sketches import nest
from harl_mlir.tasks.linalg_op import LinalgOp, Operand, loops_of
from harl_mlir.tasks.task import Task

STRIPS = "strips"
"""An order of loops: as the operand lies, in strips two vectors of the result wide."""
STRIP_VECTORS = 2


@dataclass(frozen=True)
class Roles:
    """Dimensions of the result by role.

    Attributes:
        vector: the dimension that vectors lie along.
        second: another dimension that vectors may extend along, or None.
        transposed: whether an operand that has both is contiguous along `second` rather than `vector`.
        flattens: whether all loops may become one.
    """

    vector: int
    second: int | None
    transposed: bool
    flattens: bool


def roles_of(task: Task) -> Roles | None:
    """The roles of the dimensions, or None where the task is not one this sketch schedules.

    Of tasks with tensors of i1 it schedules no transposes and no copies.
    """
    if any(member.op.reduction_dims for member in task.members) or not nest.is_plain_task(task, masks=True):
        return None
    masks = nest.has_masks(task)
    if masks and is_single_copy(task):
        return None
    if all(nest.is_copy(member.op) for member in task.members) and not is_single_copy(task):
        return None
    shape = task.root.op.init.shape
    long = [d for d, size in enumerate(shape) if size > 1]
    if not long or not nest.may_be_wide(task, long[-1:]):
        return None
    vector = long[-1]
    for member in task.members:
        loops = member.op.result_loops
        for operand in member.op.operands:
            loop = nest.innermost_loop(member.op, operand)
            if loop is None or not any(row[loops[vector]] for row in operand.map) or loop == loops[vector]:
                continue
            second = loops.index(loop)
            if nest.may_be_wide(task, (second, vector)):
                return None if masks else Roles(vector, second, True, False)
    others = [d for d in long[:-1] if nest.may_be_wide(task, (d, vector))]
    return Roles(vector, others[-1] if others else None, False, _flattens(task))


def is_single_copy(task: Task) -> bool:
    """Whether the task is one copy, transpose, broadcast or fill.

    Such an op must be kept from canonicalization, which turns it into copies between buffers, and a
    map that is more than plain loops would need it.
    """
    op = task.root.op
    return len(task.members) == 1 and nest.is_copy(op) and nest.has_plain_maps(op)


def is_plain_copy(task: Task) -> bool:
    """Whether the task is one copy of a tensor as it lies."""
    op = task.root.op
    identity = tuple((*(int(d == i) for d in range(len(op.dims))), 0) for i in range(len(op.dims)))
    return is_single_copy(task) and op.yields == 0 and all(operand.map == identity for operand in op.operands)


def extent_along(task: Task, roles: Roles | None = None) -> int:
    """Elements along the vector dimension; with no roles, of all loops made one."""
    shape = task.root.op.init.shape
    return math.prod(shape) if roles is None else shape[roles.vector]


def operand_order(task: Task, roles: Roles) -> tuple[int, ...]:
    """The dimensions of the result as a copy's operand has them, or one that is contiguous along `second`.

    Without such an operand that has them all: in their own order, or with `second` as the last.
    """
    rank = len(task.root.op.result_loops)
    if not roles.transposed:
        found = _as_read(task.root.op, task.root.op.inputs[0]) if is_single_copy(task) else ()
        return found if len(found) == rank else tuple(range(rank))
    for member in task.members:
        for operand in member.op.operands:
            found = _as_read(member.op, operand)
            if sorted(found) == list(range(rank)) and _innermost(member.op, operand) == roles.second:
                return found
    return (*(d for d in range(rank) if d != roles.second), *([] if roles.second is None else [roles.second]))


def _as_read(op: LinalgOp, operand: Operand) -> tuple[int, ...]:
    """The dimensions of the result in the order in which an operand has them."""
    return tuple(op.result_loops.index(loop) for row in operand.map for loop in loops_of(row))


def _innermost(op: LinalgOp, operand: Operand) -> int | None:
    """The dimension of the result along which an operand is contiguous, or None."""
    loop = nest.innermost_loop(op, operand)
    return None if loop is None else op.result_loops.index(loop)


def _flattens(task: Task) -> bool:
    op = task.root.op
    rank = len(op.dims)
    identity = tuple((*(int(d == i) for d in range(rank)), 0) for i in range(rank))
    # A copy is inserted into something larger, where a reshape of it could not be computed.
    return (
        len(task.members) == 1
        and not (nest.is_copy(op) and any(not operand.is_scalar for operand in op.operands[:-1]))
        and sum(size > 1 for size in op.dims) > 1
        and not any(body.name == "linalg.index" for body in op.body)
        and all(operand.is_scalar or operand.map == identity for operand in op.operands)
    )
