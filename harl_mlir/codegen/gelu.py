"""GELU as it is written, recognised in any order of its factors, and exponentials in a sigmoid."""

from __future__ import annotations

import math
from collections.abc import Iterable

from harl_mlir.frontend.program import constant_number, made_by
from harl_mlir.mlir import ir

_NEAR = 1e-6
_SCALE, _CUBE = math.sqrt(2 / math.pi), 0.044715


def gelu_around(op: ir.Operation, by_tanh: bool) -> tuple[list[ir.Operation], str, ir.Value] | None:
    """The ops from `op` on that nothing but a GELU needs, its name and x; else None.

    It is x (1 + erf(x / sqrt(2))) / 2 or, with `by_tanh`, its likeness by tanh of
    sqrt(2 / pi) (x + 0.044715 x^3).
    """
    if op.name == "math.erf":
        name, x = "gelu", _times_root_half(op.operands[0])
    elif op.name == "math.tanh" and by_tanh:
        name, x = "gelu_tanh", _bent(op.operands[0])
    else:
        return None
    one_more = _only_use(op, "arith.addf")
    if x is None or one_more is None or not _is_number(_other(one_more, op), 1.0):
        return None
    product = _only_use(one_more, "arith.mulf")
    if product is None:
        return None
    factor = _other(product, one_more)
    if (half := made_by(factor, "arith.mulf")) is not None and _are(half.operands, x, 0.5):
        return [op, one_more, product], name, x
    whole = _only_use(product, "arith.mulf")
    if whole is None:
        return None
    if _are((factor, _other(whole, product)), x, 0.5):
        return [op, one_more, product, whole], name, x
    return None


def exp_in_sigmoid(op: ir.Operation) -> tuple[list[ir.Operation], str, ir.Value] | None:
    """As `gelu_around`, of the exponential in 1 + exp(-x), which nothing else takes."""
    minus = made_by(op.operands[0], "arith.negf") if op.name == "math.exp" else None
    one_more = _only_use(op, "arith.addf")
    if minus is None or one_more is None or not _is_number(_other(one_more, op), 1.0):
        return None
    return [op], "exp_in_sigmoid", minus.operands[0]


def _times_root_half(value: ir.Value) -> ir.Value | None:
    """What is divided by the square root of two, or multiplied by its reciprocal, to give `value`."""
    if (quotient := made_by(value, "arith.divf")) is not None:
        return quotient.operands[0] if _is_number(quotient.operands[1], math.sqrt(2)) else None
    return _factor(value, math.sqrt(0.5))


def _bent(value: ir.Value) -> ir.Value | None:
    """x, where `value` is sqrt(2 / pi) (x + 0.044715 x^3)."""
    inner = _factor(value, _SCALE)
    total = made_by(inner, "arith.addf") if inner is not None else None
    if total is None:
        return None
    left, right = total.operands
    for x, bend in ((left, right), (right, left)):
        cube = _factor(bend, _CUBE)
        if cube is not None and _is_cube(cube, x):
            return x
    return None


def _is_cube(value: ir.Value, x: ir.Value) -> bool:
    """Whether `value` is x^3, by two multiplications or by a power."""
    for name in ("math.powf", "math.fpowi"):
        if (power := made_by(value, name)) is not None:
            return bool(power.operands[0] == x) and _is_number(power.operands[1], 3)
    product = made_by(value, "arith.mulf")
    if product is None:
        return False
    left, right = product.operands
    square = made_by(right if left == x else left, "arith.mulf")
    return x in (left, right) and square is not None and all(each == x for each in square.operands)


def _factor(value: ir.Value, number: float) -> ir.Value | None:
    """What is multiplied by that constant to give `value`."""
    product = made_by(value, "arith.mulf")
    if product is None:
        return None
    left, right = product.operands
    return left if _is_number(right, number) else right if _is_number(left, number) else None


def _only_use(op: ir.Operation, name: str) -> ir.Operation | None:
    """The op of that name that alone uses the result of `op`, once."""
    uses = list(op.results[0].uses)
    return uses[0].owner.operation if len(uses) == 1 and uses[0].owner.name == name else None


def _other(op: ir.Operation, one: ir.Operation) -> ir.Value:
    """The other operand of an op of two, of which `one` makes one."""
    left, right = op.operands
    return right if left == one.results[0] else left


def _are(values: Iterable[ir.Value], x: ir.Value, number: float) -> bool:
    """Whether one of two values is `x`, and the other a constant."""
    left, right = values
    return (left == x and _is_number(right, number)) or (right == x and _is_number(left, number))


def _is_number(value: ir.Value, number: float) -> bool:
    """Whether a value, or each element of it, is about that constant."""
    made = made_by(value, "arith.constant")
    constant = constant_number(made) if made is not None else None
    if not isinstance(constant, (ir.FloatAttr, ir.IntegerAttr)):
        return False
    return bool(abs(constant.value - number) <= _NEAR * number)
