"""Which elementwise groups of a function make an operand of a contraction, and join its group."""

from __future__ import annotations

from harl_mlir.mlir import ir
from harl_mlir.tasks.flow import Flow, Group, Node
from harl_mlir.tasks.padding import padding_facts
from harl_mlir.tasks.producers import may_produce, takes_producers


def with_producers(nodes: list[Node], flow: Flow, groups: list[Group]) -> list[Group]:
    """The groups, contractions' with those of their producers.

    A producer's result is used once, by the contraction that its group joins.
    """
    taking = {g.anchor: i for i, g in enumerate(groups) if _takes(nodes, g)}
    joined: dict[int, list[int]] = {}
    for number, group in enumerate(groups):
        consumer = _consumer(nodes, flow, group)
        if consumer in taking:
            joined.setdefault(taking[consumer], []).append(number)
    inside = {number for numbers in joined.values() for number in numbers}
    made = []
    for number, group in enumerate(groups):
        if number not in inside:
            added = [node for other in joined.get(number, ()) for node in groups[other].nodes]
            made.append(Group(tuple(sorted({*group.nodes, *added})), group.anchor))
    return made


def paddings(nodes: list[Node], group: Group) -> list[Node]:
    """The paddings of what a contraction reads, by operand: members of its task, before all others."""
    if not _takes(nodes, group):
        return []
    anchor = nodes[group.anchor].op
    owners = [value.owner for value in list(anchor.operands)[:-1] if not isinstance(value, ir.BlockArgument)]
    found = ((op.operation, padding_facts(op.operation)) for op in owners)
    return [Node(op, facts) for op, facts in found if facts is not None]


def _takes(nodes: list[Node], group: Group) -> bool:
    reducing = [node for node in group.nodes if not nodes[node].is_elementwise]
    return reducing == [group.anchor] and takes_producers(nodes[group.anchor].facts)


def _consumer(nodes: list[Node], flow: Flow, group: Group) -> int | None:
    """The node that takes the result of a group that may produce, as one of its inputs; None of others."""
    uses = list(nodes[group.root].op.results[0].uses)
    if len(uses) != 1 or not all(may_produce(nodes[node].facts) for node in group.nodes):
        return None
    (use,), consumers = uses, flow.consumers[group.root]
    if not consumers or nodes[consumers[0]].op.block != nodes[group.root].op.block:
        return None
    [consumer] = consumers
    return consumer if use.operand_number < len(nodes[consumer].facts.inputs) else None
