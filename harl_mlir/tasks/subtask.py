"""Some members of a task as a task of their own."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.tasks.task import Member, Source, Task, TensorType


def subtask(task: Task, numbers: Sequence[int], anchor: int) -> Task:
    """The task of members `numbers`, in program order, the last its root; what others make are arguments.

    It has neither key nor kernel: only its facts count, where something bigger is scheduled part by part.
    """
    number = {member: i for i, member in enumerate(numbers)}
    arguments: list[TensorType] = []
    members: list[Member] = []
    for member in numbers:
        given = task.members[member]
        sources: list[Source] = []
        for operand, source in zip(given.op.operands, given.sources, strict=True):
            if source.kind == "member" and source.index in number:
                sources.append(Source("member", number[source.index]))
            elif source.kind in ("member", "argument"):
                sources.append(Source("argument", len(arguments)))
                arguments.append(TensorType(operand.shape, operand.element, operand.is_scalar))
            else:
                sources.append(source)
        members.append(Member(given.op, tuple(sources)))
    return Task("", "", tuple(arguments), tuple(members), number[anchor], (len(members) - 1,))
