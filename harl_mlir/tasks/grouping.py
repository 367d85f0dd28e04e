"""Fusion groups of the linalg ops of a function.

A group is an anchor (an op with a reduction loop), the fill of its init, and the chain of elementwise
ops that take its result one after the other; or, without an anchor, a chain of elementwise ops. Every
value inside such a group has one use. Or it is a row operation: all ops over the same rows that a root
needs and nothing else uses, of which one at least reduces the rows and several go along them. Or it is a
chain (`chain.py`): such groups on the way from products to a root, as the scores, the softmax and the second
product of an attention are.

A group leaves nothing behind when it is tiled from its root (the last op) and the others are fused into
the root's loops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harl_mlir.mlir import ir
from harl_mlir.tasks.chain import chain_of, is_product
from harl_mlir.tasks.linalg_op import LinalgOp, Operand
from harl_mlir.tasks.rows import Rows, is_leading, rows_of


@dataclass(frozen=True)
class Node:
    """A linalg op on tensors with its facts."""

    op: ir.Operation
    facts: LinalgOp

    @property
    def is_elementwise(self) -> bool:
        """Whether all loops are parallel: maps, copies, transposes, broadcasts, fills."""
        return not self.facts.reduction_dims

    @property
    def is_fill(self) -> bool:
        """Whether it writes one scalar everywhere."""
        return self.facts.is_fill


@dataclass(frozen=True)
class Group:
    """Numbers of a group's nodes, in program order; the last is the root."""

    nodes: tuple[int, ...]
    anchor: int

    @property
    def root(self) -> int:
        """The node whose result leaves the group."""
        return self.nodes[-1]


@dataclass(frozen=True)
class Flow:
    """Which nodes take the results of which: for each node the others, and by which operands.

    Attributes:
        consumers: numbers of the nodes that take a node's result, in program order.
        producers: numbers of the nodes whose results a node takes, with its own operand numbers.
    """

    consumers: tuple[list[int], ...]
    producers: tuple[dict[int, tuple[int, ...]], ...]


def flow_of(nodes: list[Node]) -> Flow:
    """How values flow between the nodes."""
    made_by = {node.op.results[0]: i for i, node in enumerate(nodes)}
    flow = Flow(tuple([] for _ in nodes), tuple({} for _ in nodes))
    for consumer, node in enumerate(nodes):
        taken = flow.producers[consumer]
        for number, value in enumerate(node.op.operands):
            producer = made_by.get(value)
            if producer is not None:
                taken[producer] = (*taken.get(producer, ()), number)
        for producer in taken:
            flow.consumers[producer].append(consumer)
    return flow


def group(nodes: list[Node]) -> list[Group]:
    """All groups, ordered by root. A fill shared by several anchors is a member of each group.

    Every node is in a group, but for fills that are only needed by groups they are members of.
    """
    flow = flow_of(nodes)
    groups = _row_groups(nodes, flow)
    taken = {i for g in groups for i in g.nodes if not nodes[i].is_fill}
    # From the last anchor to the first: an op that could follow two anchors follows the nearer one,
    # whose result is still in the cache.
    anchors = [i for i, node in enumerate(nodes) if not node.is_elementwise and i not in taken]
    for anchor in reversed(anchors):
        fills = _fill_of(nodes, flow, anchor)
        chain = _chain(nodes, flow, anchor, taken)
        taken.update(chain)
        groups.append(Group((*fills, *chain), anchor))
    absorbed = {i for g in groups for i in g.nodes if i not in taken}
    for fill in absorbed:
        if _all_uses_inside(nodes, flow, fill, groups):
            taken.add(fill)
    for start in range(len(nodes)):
        if start not in taken:
            chain = _chain(nodes, flow, start, taken)
            taken.update(chain)
            groups.append(Group(chain, chain[-1]))
    return _with_chains(nodes, flow, sorted(groups, key=lambda g: g.root))


def _with_chains(nodes: list[Node], flow: Flow, groups: list[Group]) -> list[Group]:
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


def _row_groups(nodes: list[Node], flow: Flow) -> list[Group]:
    """The row operations, from the last root to the first; what follows another anchor is in none."""
    taken = _after_other_anchors(nodes, flow)
    groups: list[Group] = []
    for root in reversed(range(len(nodes))):
        for rows in () if root in taken or nodes[root].is_fill else _rows_before(nodes, flow, root):
            found = _row_group(nodes, flow, root, rows, taken)
            if found is not None:
                groups.append(found)
                taken.update(i for i in found.nodes if not nodes[i].is_fill)
                break
    return groups


def after_other_anchors(nodes: list[Node]) -> set[int]:
    """What is in no row operation: anchors that reduce no rows, and the chains that follow them."""
    return _after_other_anchors(nodes, flow_of(nodes))


def _after_other_anchors(nodes: list[Node], flow: Flow) -> set[int]:
    found: set[int] = set()
    for anchor, node in enumerate(nodes):
        if not node.is_elementwise and rows_of(node.facts) is None:
            found.update(_chain(nodes, flow, anchor, ()))
    return found


def _rows_before(nodes: list[Node], flow: Flow, root: int) -> list[Rows]:
    """The rows that `root` may work on: those reduced by the ops it needs, the nearest first, each once."""
    needed = {root}
    found: dict[Rows, None] = {}
    for node in range(root, -1, -1):
        if node not in needed:
            continue
        rows = rows_of(nodes[node].facts)
        if rows is not None and rows.holds(nodes[root].facts):
            found[rows] = None
        # What is reduced otherwise has other loops.
        if nodes[node].is_elementwise or rows is not None:
            needed.update(flow.producers[node])
    return list(found)


def _row_group(nodes: list[Node], flow: Flow, root: int, rows: Rows, taken: set[int]) -> Group | None:
    """The ops on `rows` that `root` needs and nothing else uses; None where they are no row operation."""
    inside, fills = {root}, set[int]()
    # Consumers come after producers: all that may use an op have been looked at before it.
    for producer in range(root - 1, -1, -1):
        consumers = flow.consumers[producer]
        if nodes[producer].is_fill:
            if any(producer in _fill_of(nodes, flow, c) for c in consumers if c in inside):
                fills.add(producer)
        elif _joins(nodes, flow, producer, rows, inside) and producer not in taken:
            inside.add(producer)
    reducing = [i for i in inside if not nodes[i].is_elementwise]
    if not reducing or sum(rows.is_along(nodes[i].facts) for i in inside) < 2:
        return None
    return Group(tuple(sorted(inside | fills)), max(reducing))


def _joins(nodes: list[Node], flow: Flow, producer: int, rows: Rows, inside: set[int]) -> bool:
    node = nodes[producer]
    owners = {use.owner.operation for use in node.op.results[0].uses}
    consumers = flow.consumers[producer]
    if not consumers or len(owners) != len(consumers) or not inside.issuperset(consumers):
        return False
    wanted = rows.width_of(node.facts)
    return rows.holds(node.facts) and all(
        nodes[c].op.block == node.op.block
        and all(is_leading(nodes[c].facts.operands[o], wanted) for o in flow.producers[c][producer])
        for c in consumers
    )


def _fill_of(nodes: list[Node], flow: Flow, anchor: int) -> tuple[int, ...]:
    init = len(nodes[anchor].facts.operands) - 1
    return tuple(
        producer
        for producer, operands in flow.producers[anchor].items()
        if nodes[producer].is_fill and operands == (init,)
    )


def _chain(nodes: list[Node], flow: Flow, start: int, taken: Iterable[int]) -> tuple[int, ...]:
    """`start` and the elementwise ops that follow it, each the only use of the one before."""
    chain = [start]
    while True:
        last = chain[-1]
        uses = list(nodes[last].op.results[0].uses)
        consumers = flow.consumers[last]
        if len(uses) != 1 or len(consumers) != 1:
            return tuple(chain)
        consumer = consumers[0]
        operand = nodes[consumer].facts.operands[uses[0].operand_number]
        follows = (
            consumer not in taken
            and nodes[consumer].is_elementwise
            and nodes[consumer].op.block == nodes[last].op.block
            and _is_identity(operand)
            and _is_identity(nodes[consumer].facts.init)
            and len(operand.shape) > 0
        )
        if not follows:
            return tuple(chain)
        chain.append(consumer)


def _is_identity(operand: Operand) -> bool:
    rank = len(operand.map)
    return all(
        len(row) == rank + 1 and row[-1] == 0 and all(row[d] == int(d == i) for d in range(rank))
        for i, row in enumerate(operand.map)
    )


def _all_uses_inside(nodes: list[Node], flow: Flow, fill: int, groups: list[Group]) -> bool:
    users = {nodes[c].op for c in flow.consumers[fill] if any({fill, c} <= set(g.nodes) for g in groups)}
    return all(use.owner in users for use in nodes[fill].op.results[0].uses)
