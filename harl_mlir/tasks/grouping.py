"""Fusion groups of the linalg ops of a function.

A group is an anchor (an op with a reduction loop), the fill of its init, and the chain of elementwise
ops that take its result one after the other; or, without an anchor, a chain of elementwise ops. Every
value inside such a group has one use. Or it is a row operation: all ops over the same rows that a root
needs and nothing else uses, of which one at least reduces the rows and several go along them. Or it is a
chain (`chain.py`): such groups on the way from products to a root, as the scores, the softmax and the second
product of an attention are. Elementwise groups that make an operand of a contraction, and nothing else,
are members of its group (`producers.py`).

A group leaves nothing behind when it is tiled from its root (the last op) and the others are fused into
the root's loops.
"""

from __future__ import annotations

from collections.abc import Iterable

from harl_mlir.tasks.chain_groups import with_chains
from harl_mlir.tasks.flow import Flow, Group, Node, flow_of
from harl_mlir.tasks.linalg_op import is_leading
from harl_mlir.tasks.producer_groups import with_producers
from harl_mlir.tasks.rows import Rows, rows_of


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
    chained = with_chains(nodes, flow, sorted(groups, key=lambda g: g.root))
    return with_producers(nodes, flow, chained)


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
        facts = nodes[consumer].facts
        operand, loops = facts.operands[uses[0].operand_number], len(facts.dims)
        follows = (
            consumer not in taken
            and nodes[consumer].is_elementwise
            and nodes[consumer].op.block == nodes[last].op.block
            and is_leading(operand, loops)
            and is_leading(facts.init, loops)
        )
        if not follows:
            return tuple(chain)
        chain.append(consumer)


def _all_uses_inside(nodes: list[Node], flow: Flow, fill: int, groups: list[Group]) -> bool:
    users = {nodes[c].op for c in flow.consumers[fill] if any({fill, c} <= set(g.nodes) for g in groups)}
    return all(use.owner in users for use in nodes[fill].op.results[0].uses)
