"""Loops over the vectors of a row: what they keep, and whether two of them compute alike."""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.frontend.program import constant_number, made_by
from harl_mlir.mlir import ir

_ALIKE = ("vector.transfer_read", "affine.apply", "arith.addi", "ub.poison", "arith.constant")

_KINDS = {"arith.addf": "add"}


def only_result(loop: ir.Operation) -> tuple[ir.Operation | None, ir.Value | None]:
    """What makes the one value that a loop carries, and the value that it was before."""
    block = loop.regions[0].blocks[0]
    if len(loop.results) != 1:
        return None, None
    value = list(block.operations)[-1].operands[0]
    inside = not isinstance(value.owner, ir.Block) and value.owner.operation.block == block
    return (value.owner.operation if inside else None), block.arguments[1]


def other_operand(op: ir.Operation, one: ir.Value | None) -> ir.Value | None:
    """The operand beside `one` of an op of two."""
    others = [value for value in op.operands if value != one]
    return others[0] if len(others) == 1 else None


def splat(value: ir.Value) -> int | float | None:
    """The number of a constant."""
    constant = made_by(value, "arith.constant")
    number = None if constant is None else constant_number(constant)
    return number.value if isinstance(number, (ir.IntegerAttr, ir.FloatAttr)) else None


def reduced_to(kept: ir.Value, combiner: str) -> list[ir.Value]:
    """The vectors along the rows of which `kept` is what `combiner` comes to."""
    kind = f"#vector.kind<{_KINDS.get(combiner, combiner.removeprefix('arith.'))}>"
    found: list[ir.Value] = []
    stack = [kept]
    while stack:
        value = stack.pop()
        if isinstance(value.owner, ir.Block):
            continue
        op = value.owner.operation
        if op.name == combiner:
            stack += list(op.operands)
        elif op.name == "vector.multi_reduction" and str(op.attributes["kind"]) == kind:
            source, before = op.operands
            if list(ir.DenseI64ArrayAttr(op.attributes["reduction_dims"])) == [len(source.type.shape) - 1]:
                found.append(source)
                stack.append(before)
    return found


def same_steps(loop: ir.Operation, other: ir.Operation) -> bool:
    """Whether two loops of a block go from and to the same numbers by the same step."""
    return list(loop.operands)[:3] == list(other.operands)[:3] and loop.block == other.block


def is_same(value: ir.Value, other: ir.Value, known: Mapping[ir.Value, ir.Value]) -> bool:
    """Whether two loops compute two values alike, from values of which `known` tells the counterpart."""
    if known.get(value, value) == other:
        return True
    if isinstance(value.owner, ir.Block) or isinstance(other.owner, ir.Block):
        return False
    one, two = value.owner.operation, other.owner.operation
    return (
        one.name in _ALIKE
        and one.name == two.name
        and value.type == other.type
        and dict(_attributes(one)) == dict(_attributes(two))
        and all(is_same(a, b, known) for a, b in zip(one.operands, two.operands, strict=True))
    )


def _attributes(op: ir.Operation) -> list[tuple[str, ir.Attribute]]:
    return [(name, op.attributes[name]) for name in op.attributes]


def spread_from(value: ir.Value) -> ir.Value | None:
    """The numbers, one a row, of which each fills a row of `value`."""
    turned = made_by(value, "vector.transpose")
    if turned is not None:
        order = list(ir.DenseI64ArrayAttr(turned.attributes["permutation"]))
        if order != [*range(1, len(order)), 0]:
            return None
        value = turned.operands[0]
    spread = made_by(value, "vector.broadcast")
    if spread is None:
        return None
    kept: ir.Value = spread.operands[0]
    if turned is None and any(n > 1 for n in getattr(kept.type, "shape", ())):
        return None
    return kept
