"""Elementwise ops that make an operand of a contraction, and are members of its task: its producers."""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.tasks.contraction import is_multiply_add
from harl_mlir.tasks.linalg_op import LinalgOp, is_leading
from harl_mlir.tasks.subtask import subtask
from harl_mlir.tasks.task import Task


@dataclass(frozen=True)
class Producer:
    """What makes one operand of a contraction.

    Attributes:
        operand: number of the operand.
        members: of the task, in program order; the result of the last one is the operand.
    """

    operand: int
    members: tuple[int, ...]


def takes_producers(op: LinalgOp) -> bool:
    """Whether it is a contraction, whose operands may be computed for it."""
    return bool(op.reduction_dims) and bool(op.parallel_dims) and is_multiply_add(op)


def may_produce(op: LinalgOp) -> bool:
    """Whether it computes elements one by one, so that a part of its result is an op of the same kind.

    What only moves elements is none: a contraction has its own ways to read operands in another order.
    """
    return (
        not op.reduction_dims
        and not op.is_fill
        and not op.reads_init
        and is_leading(op.init, len(op.dims))
        and any(body.name != "arith.constant" for body in op.body)
        and not any(body.name == "linalg.index" for body in op.body)
    )


def producers_of(task: Task) -> tuple[Producer, ...]:
    """The producers of a task whose anchor is a contraction, by operand; empty for other tasks."""
    reducing = [member for member in task.members if member.op.reduction_dims]
    if len(reducing) != 1 or not takes_producers(task.anchor_op):
        return ()
    found = []
    for operand, source in enumerate(task.members[task.anchor].sources[:-1]):
        if source.kind == "member":
            needed = {source.index}
            for number in range(source.index, -1, -1):
                if number in needed:
                    given = task.members[number].sources
                    needed |= {other.index for other in given if other.kind == "member"}
            found.append(Producer(operand, tuple(sorted(needed))))
    return tuple(found)


def paddings_of(task: Task) -> tuple[Producer, ...]:
    """The producers that pad an operand."""
    return tuple(made for made in producers_of(task) if task.members[made.members[-1]].op.is_pad)


def core_of(task: Task) -> Task:
    """The task without its producers, whose results are arguments of it."""
    made = {member for producer in producers_of(task) for member in producer.members}
    members = [number for number in range(len(task.members)) if number not in made]
    return subtask(task, members, task.anchor)


def producer_task(task: Task, producer: Producer) -> Task:
    """A producer as a task of its own."""
    return subtask(task, producer.members, producer.members[-1])
