"""Elementwise ops on the rows of a row operation become part of the ops that take their results.

Each op of a row operation is a pass over the row: what is read, computed and used at once needs none of
its own. An op with one consumer becomes part of it; a cheap one, part of each of its consumers. What is
computed once a row is never computed for each element.
"""

from __future__ import annotations

from harl_mlir.frontend.fills import own_empties
from harl_mlir.frontend.generics import are_cheap, copy_body, end_body, generic_like
from harl_mlir.frontend.program import indexing_maps, linalg_ops
from harl_mlir.mlir import ir
from harl_mlir.tasks.facts import UnsupportedOpError, read_facts
from harl_mlir.tasks.flow import Node
from harl_mlir.tasks.grouping import after_other_anchors
from harl_mlir.tasks.linalg_op import is_leading
from harl_mlir.tasks.rows import Rows, rows_of


def fuse_rows(function: ir.OpView) -> None:
    """Fuse what can be, from the last op to the first; those left have each an empty tensor of its own."""
    ops = linalg_ops(function)
    nodes = [node for op in ops if (node := _node(op, function)) is not None]
    kinds = dict.fromkeys(rows for node in nodes if (rows := rows_of(node.facts)) is not None)
    if not kinds:
        return
    barred = {nodes[i].op for i in after_other_anchors(nodes)}
    for op in reversed([node.op for node in nodes]):
        if op in barred:
            continue
        for rows in kinds:
            consumers = _consumers(op, rows, function, barred)
            if consumers:
                for consumer in consumers:
                    _fuse(op, consumer)
                op.erase()
                break
    for op in linalg_ops(function):
        node = _node(op, function)
        # Else an op's result would be put in the place of another's, and be copied for it.
        if node is not None and any(rows.fits(node.facts) for rows in kinds):
            own_empties(op)


def _node(op: ir.Operation, function: ir.OpView) -> Node | None:
    if op.parent.operation != function.operation:
        return None
    try:
        facts = read_facts(op)
    except UnsupportedOpError:
        return None
    return Node(op, facts) if facts.dims else None


def _consumers(
    op: ir.Operation, rows: Rows, function: ir.OpView, barred: set[ir.Operation]
) -> list[ir.Operation]:
    """The ops that `op` is to become part of, in program order; none where it stays."""
    node = _node(op, function)
    if node is None or op.name != "linalg.generic" or not node.is_elementwise or node.is_fill:
        return []
    facts = node.facts
    # Dead ops of the body, which the facts leave out, may read the init too.
    reads = list(op.regions[0].blocks[0].arguments[len(op.operands) - 1].uses)
    if not rows.fits(facts) or facts.reads_init or reads:
        return []
    uses = list(op.results[0].uses)
    owners = {use.owner.operation for use in uses}
    if not owners or (len(owners) > 1 and not are_cheap([inner.name for inner in facts.body])):
        return []
    for use in uses:
        consumer = _node(use.owner.operation, function)
        if consumer is None or consumer.op in barred or consumer.op.name != "linalg.generic":
            return []
        number, inputs = use.operand_number, len(consumer.facts.operands) - 1
        if not rows.fits(consumer.facts) or number == inputs:
            return []
        same_loops = rows.is_along(facts) == rows.is_along(consumer.facts)
        if not same_loops or not is_leading(consumer.facts.operands[number], len(facts.dims)):
            return []
        # Something else has to tell the extent of the last loop.
        others = zip(consumer.op.operands, consumer.facts.operands, strict=True)
        telling = [*facts.operands[:-1], *(operand for value, operand in others if value != op.results[0])]
        if not any(row[-2] for operand in telling for row in operand.map):
            return []
    return [other for other in linalg_ops(function) if other in owners]


def _fuse(producer: ir.Operation, consumer: ir.Operation) -> None:
    """Replace `consumer` by a generic that computes the producer's result where it takes it.

    Both go along the same loops, and the consumer takes the result by all of them in order.
    """
    taken = producer.results[0]
    maps, inner_maps = indexing_maps(consumer) or [], indexing_maps(producer) or []
    *given, _ = zip(producer.operands, inner_maps, strict=True)
    operands: list[tuple[ir.Value, ir.AffineMap]] = []
    *inputs, init = zip(consumer.operands, maps, strict=True)
    for value, map_ in inputs:
        for pair in given if value == taken else [(value, map_)]:
            if pair not in operands:
                operands.append(pair)
    operands.append(init)
    made = generic_like(
        consumer,
        [value for value, _ in operands],
        [map_ for _, map_ in operands],
        1,
        iterators=list(consumer.attributes["iterator_types"]),
    )
    arguments = list(made.regions[0].blocks[0].arguments)
    block, inner = consumer.regions[0].blocks[0], producer.regions[0].blocks[0]
    values = {
        argument: arguments[operands.index(pair)]
        for argument, pair in zip(list(inner.arguments)[:-1], given, strict=True)
    }
    *computing, end = [each.operation for each in inner.operations]
    copy_body(computing, values, made)
    computed = values.get(end.operands[0], end.operands[0])
    *taking, end = [each.operation for each in block.operations]
    values = {}
    for argument, pair in zip(list(block.arguments)[:-1], inputs, strict=True):
        values[argument] = computed if pair[0] == taken else arguments[operands.index(pair)]
    values[list(block.arguments)[-1]] = arguments[-1]
    copy_body(taking, values, made)
    end_body(made, [values.get(v, v) for v in end.operands])
    consumer.results[0].replace_all_uses_with(made.results[0])
    consumer.erase()
