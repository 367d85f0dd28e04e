"""A part of a task: what is computed of its members where some dimensions of the result are cut."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from harl_mlir.tasks.linalg_op import LinalgOp, Operand, plain_loop
from harl_mlir.tasks.producers import Producer
from harl_mlir.tasks.task import Member, Task


def part_of(task: Task, cuts: Mapping[int, int]) -> Task | None:
    """The task that computes one of the equal parts of the result.

    `cuts` says into how many parts a dimension of the result is cut, which divides it. Key, kernel and
    arguments stay those of the whole. None where members are no tiles of what reads them, or more than the
    root's result leaves the task.
    """
    last = len(task.members) - 1
    if task.results != (last,):
        return None
    shape = task.root.op.init.shape
    wanted = {last: tuple(size // cuts.get(d, 1) for d, size in enumerate(shape))}
    members: dict[int, Member] = {}
    for number in range(last, -1, -1):
        member = task.members[number]
        op = _tile(member.op, wanted[number]) if number in wanted else None
        if op is None:
            return None
        members[number] = replace(member, op=op)
        for operand, source in zip(op.operands, member.sources, strict=True):
            if source.kind == "member" and wanted.setdefault(source.index, operand.shape) != operand.shape:
                return None
    return replace(task, members=tuple(members[number] for number in range(last + 1)))


def pads_parts(task: Task, producer: Producer, cut: Iterable[int]) -> bool:
    """Whether parts of a result cut in these dimensions each read a part of what is padded, padded alike.

    Cut where it is padded, the first and the last part would be padded in another way than those between.
    """
    op, pad = task.anchor_op, task.members[producer.members[-1]].op
    rows = op.operands[producer.operand].map
    for loop in (op.result_loops[d] for d in cut):
        moved = [d for d, row in enumerate(rows) if row[loop]]
        if not moved or any(pad.inputs[0].shape[d] != pad.init.shape[d] for d in moved):
            return False
    return True


def repeated(task: Task, part: Task, parts: int) -> float:
    """How much more all parts compute together than the whole does; 1 where nothing is done twice."""
    return parts * _steps(part) / _steps(task)


def _steps(task: Task) -> int:
    return sum(math.prod(member.op.dims) for member in task.members)


def _tile(op: LinalgOp, shape: tuple[int, ...]) -> LinalgOp | None:
    """The op that computes a tile of this shape; None where the result's dimensions are no loops."""
    dims = list(op.dims)
    for row, size in zip(op.init.map, shape, strict=True):
        loop = plain_loop(row)
        if loop is None:
            return None
        dims[loop] = size
    less = [whole - size for whole, size in zip(op.dims, dims, strict=True)]
    if op.is_pad:
        # Of the operand it reads what lies inside of it: about as much as it makes.
        source = replace(op.inputs[0], shape=tuple(map(min, op.inputs[0].shape, dims)))
        return replace(op, dims=tuple(dims), operands=(source, _read(op.init, less)))
    return replace(op, dims=tuple(dims), operands=tuple(_read(operand, less) for operand in op.operands))


def _read(operand: Operand, less: list[int]) -> Operand:
    """What is read of an operand when each loop makes so many steps less."""
    shape = (
        size - sum(abs(step) * steps for step, steps in zip(row[:-1], less, strict=True))
        for size, row in zip(operand.shape, operand.map, strict=True)
    )
    return replace(operand, shape=tuple(shape))
