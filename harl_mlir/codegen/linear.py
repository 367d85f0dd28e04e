"""Indices as sums of multiples of other values: how far apart two of them are, and how far one moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harl_mlir.mlir import ir


@dataclass(frozen=True)
class Linear:
    """`constant` plus each value times its factor; factors are not zero."""

    constant: int
    factors: Mapping[ir.Value, int] = field(default_factory=dict)

    def moves_with(self, value: ir.Value) -> int:
        """The factor of a value."""
        return self.factors.get(value, 0)

    def differs_in_constant(self, other: Linear) -> bool:
        """Whether what is left besides the constants is the same."""
        return dict(self.factors) == dict(other.factors)


def linear(value: ir.Value) -> Linear:
    """An index as a sum; what is neither a sum nor a product with a constant is a value of its own."""
    if isinstance(value, ir.BlockArgument):
        return Linear(0, {value: 1})
    op = value.owner
    match op.name:
        case "arith.constant":
            return Linear(ir.IntegerAttr(op.attributes["value"]).value)
        case "arith.addi":
            return _sum(linear(op.operands[0]), linear(op.operands[1]))
        case "arith.muli":
            found = _product(linear(op.operands[0]), linear(op.operands[1]))
        case "affine.apply":
            map = ir.AffineMapAttr(op.attributes["map"]).value
            given = [linear(operand) for operand in op.operands]
            found = _expression(map.results[0], given, map.n_dims)
        case _:
            found = None
    return found or Linear(0, {value: 1})


def _expression(expression: ir.AffineExpr, given: Sequence[Linear], dims: int) -> Linear | None:
    if isinstance(expression, ir.AffineConstantExpr):
        return Linear(expression.value)
    if isinstance(expression, ir.AffineDimExpr):
        return given[int(expression.position)]
    if isinstance(expression, ir.AffineSymbolExpr):
        return given[dims + int(expression.position)]
    if isinstance(expression, (ir.AffineAddExpr, ir.AffineMulExpr)):
        left, right = (_expression(side, given, dims) for side in (expression.lhs, expression.rhs))
        if left is not None and right is not None:
            return _sum(left, right) if isinstance(expression, ir.AffineAddExpr) else _product(left, right)
    return None


def _sum(left: Linear, right: Linear) -> Linear:
    factors = dict(left.factors)
    for value, factor in right.factors.items():
        factors[value] = factors.get(value, 0) + factor
    return Linear(left.constant + right.constant, {value: f for value, f in factors.items() if f})


def _product(left: Linear, right: Linear) -> Linear | None:
    if right.factors:
        left, right = right, left
    if right.factors:
        return None
    number = right.constant
    factors = {value: factor * number for value, factor in left.factors.items() if number}
    return Linear(left.constant * number, factors)
