"""Polynomials in the place of calls of the math library: `approximate` accuracy.

What each function is made of, and how far it may be off, is in `approximate.mlir`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from harl_mlir.codegen.vectors import extended, truncated
from harl_mlir.frontend.program import all_ops, constant_number, made_by
from harl_mlir.mlir import func, ir

_FUNCTIONS = Path(__file__).with_name("approximate.mlir")
_NAMES = {f"math.{name}": name for name in ("exp", "log", "tanh", "erf")}
_ELEMENTS = (ir.F32Type, ir.F16Type, ir.BF16Type)
_NEAR = 1e-6


def approximate_math(module: ir.Module) -> None:
    """Replace `math.exp`, `log`, `tanh` and `erf`, of scalars or vectors, by arithmetic, in place.

    So is x (1 + erf(x / sqrt(2))) / 2, GELU, as a whole. Of f32 and, through that, of f16 and bf16; other
    types, and other functions, are left to the math library.
    """
    found = [op for op in all_ops(module.operation) if op.name in _NAMES and _is_known(op.results[0].type)]
    if not found:
        return
    functions = _Functions(ir.Module.parse(_FUNCTIONS.read_text()))
    for op in found:
        gelu = _gelu_around(op) if op.name == "math.erf" else None
        replaced, name, argument = gelu or ([op], _NAMES[op.name], op.operands[0])
        with ir.InsertionPoint(replaced[-1]), op.location:
            value = functions.inline(name, extended(argument, ir.F32Type.get()))
            value = truncated(value, argument.type)
        replaced[-1].results[0].replace_all_uses_with(value)
        for each in reversed(replaced):
            each.erase()


def _gelu_around(erf: ir.Operation) -> tuple[list[ir.Operation], str, ir.Value] | None:
    """The ops from `erf` on that nothing but x (1 + erf(x / sqrt(2))) / 2 needs, "gelu" and x; else None."""
    x = _times_root_half(erf.operands[0])
    one_more = _only_use(erf, "arith.addf")
    if x is None or one_more is None or not _is_number(_other(one_more, erf), 1.0):
        return None
    product = _only_use(one_more, "arith.mulf")
    if product is None:
        return None
    factor = _other(product, one_more)
    if (half := made_by(factor, "arith.mulf")) is not None and _are(half.operands, x, 0.5):
        return [erf, one_more, product], "gelu", x
    whole = _only_use(product, "arith.mulf")
    if whole is None:
        return None
    if _are((factor, _other(whole, product)), x, 0.5):
        return [erf, one_more, product, whole], "gelu", x
    return None


def _times_root_half(value: ir.Value) -> ir.Value | None:
    """What is divided by the square root of two, or multiplied by its reciprocal, to give `value`."""
    if (quotient := made_by(value, "arith.divf")) is not None:
        return quotient.operands[0] if _is_number(quotient.operands[1], math.sqrt(2)) else None
    if (product := made_by(value, "arith.mulf")) is not None:
        left, right = product.operands
        return (
            left if _is_number(right, math.sqrt(0.5)) else right if _is_number(left, math.sqrt(0.5)) else None
        )
    return None


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
    return isinstance(constant, ir.FloatAttr) and abs(constant.value - number) <= _NEAR * number


class _Functions:
    """The functions of `approximate.mlir`."""

    def __init__(self, module: ir.Module) -> None:
        self._module = module
        self._blocks = {
            op.opview.name.value: op.opview.body.blocks[0]
            for op in module.body.operations
            if isinstance(op.opview, func.FuncOp)
        }

    def inline(self, name: str, argument: ir.Value) -> ir.Value:
        """The function's ops at the insertion point, for scalars or vectors as `argument` is."""
        block = self._blocks[name]
        values = {block.arguments[0]: argument}
        for view in block.operations:
            op = view.operation
            operands = [values[value] for value in op.operands]
            if op.name == "func.return":
                return operands[0]
            if op.name == "func.call":
                made = self.inline(ir.FlatSymbolRefAttr(op.attributes["callee"]).value, operands[0])
            else:
                made = _widened(op, operands, argument.type)
            values[op.results[0]] = made
        raise ValueError(f"@{name} returns nothing")


def _widened(op: ir.Operation, operands: list[ir.Value], like: ir.Type) -> ir.Value:
    """A copy of a scalar op, for vectors of the shape of `like` if that is one."""
    kind = op.results[0].type
    attributes = {name: op.attributes[name] for name in op.attributes}
    if isinstance(like, ir.VectorType):
        kind = ir.VectorType.get(like.shape, kind)
        if op.name == "arith.constant":
            attributes["value"] = ir.DenseElementsAttr.get_splat(kind, attributes["value"])
    copy: ir.Value = ir.Operation.create(
        op.name, results=[kind], operands=operands, attributes=attributes
    ).result
    return copy


def _is_known(kind: ir.Type) -> bool:
    if not isinstance(kind, ir.VectorType):
        return isinstance(kind, _ELEMENTS)
    return isinstance(kind.element_type, _ELEMENTS) and not kind.scalable
