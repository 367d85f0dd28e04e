"""Which groups of a function make a chain (see `chain.py`) and become one."""

from __future__ import annotations

from harl_mlir.tasks.chain import chain_of, is_product
from harl_mlir.tasks.flow import Flow, Group, Node


def with_chains(nodes: list[Node], flow: Flow, groups: list[Group]) -> list[Group]:
    """The groups with those that make a chain joined, from the last root to the first."""
    found: dict[int, Group] = {}
    taken: set[int] = set()
    for root in reversed(range(len(groups))):
        if root in taken:
            continue
        inside = _ways_to(nodes, flow, groups, root, taken)
        numbers = sorted({node for number in inside for node in groups[number].nodes})
        place = {node: i for i, node in enumerate(numbers)}
        links = [
            {o: place[made] for made, given in flow.producers[n].items() if made in place for o in given}
            for n in numbers
        ]
        if len(inside) > 1 and chain_of([nodes[n].facts for n in numbers], links) is not None:
            first = next(n for n in numbers if is_product(nodes[n].facts))
            found[root] = Group(tuple(numbers), first)
            taken |= inside
    left = [group for number, group in enumerate(groups) if number not in taken]
    return sorted([*left, *found.values()], key=lambda g: g.root)


def _ways_to(nodes: list[Node], flow: Flow, groups: list[Group], root: int, taken: set[int]) -> set[int]:
    """The groups on the ways to group `root` from products whose rows are reduced on them.

    Nothing else uses them, and at most one more product, the last, is among them.
    """
    of = {node: number for number, group in enumerate(groups) for node in group.nodes}
    inside, sources = {root}, set[int]()
    product = is_product(nodes[groups[root].anchor].facts)
    for number in range(root - 1, -1, -1):
        group = groups[number]
        users = flow.consumers[group.root]
        owners = {use.owner.operation for use in nodes[group.root].op.results[0].uses}
        into = {of[user] for user in users}
        if number in taken or not users or len(owners) != len(users) or not into <= inside - sources:
            continue
        if any(nodes[user].op.block != nodes[group.root].op.block for user in users):
            continue
        if is_product(nodes[group.anchor].facts):
            if _reduces_rows(nodes, flow, of, users, inside):
                sources.add(number)
            elif product:
                continue
            else:
                product = True
        inside.add(number)
    ways = set(sources)
    for number in sorted(inside):
        made = {of[n] for node in groups[number].nodes for n in flow.producers[node] if not nodes[n].is_fill}
        if ways & made:
            ways.add(number)
    return ways & inside if root in ways else {root}


def _reduces_rows(
    nodes: list[Node], flow: Flow, of: dict[int, int], users: list[int], inside: set[int]
) -> bool:
    """Whether elementwise ops of the groups `inside` lead from `users` to one that reduces rows."""
    for user in users:
        facts = nodes[user].facts
        if of[user] not in inside or is_product(facts):
            continue
        if facts.reduction_dims or _reduces_rows(nodes, flow, of, flow.consumers[user], inside):
            return True
    return False
