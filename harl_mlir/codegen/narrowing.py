"""Rounding of f64 to f16 and bf16, which processors do not do in one step.

LLVM would call functions of its compiler's runtime library. Rounding to f32 first would round twice: what
lies just beside the middle of two numbers can come to lie on it. So f32 is rounded to odd: where it is not
exact, of the two f32 around a number the one whose last bit is set is taken. That one is on no middle, and on
the number's side of it (Boldo and Melquiond, "When double rounding is odd", 2005; f32 has more than two
bits more than either type). A fused multiply-add of either is one of f64 that is rounded so, which is how
LLVM does that of f16, too. `passes/lib/NarrowF64.cpp` does the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, ir

_NARROW = frozenset({"f16", "bf16"})


def narrowings(module: ir.Module) -> list[ir.Operation]:
    """The ops that round f64 to f16 or bf16."""
    return [op for op in all_ops(module.operation) if _narrows(op)]


def _narrows(op: ir.Operation) -> bool:
    if op.name not in ("arith.truncf", "math.fma") or str(_element(op.results[0].type)) not in _NARROW:
        return False
    return op.name == "math.fma" or str(_element(op.operands[0].type)) == "f64"


def narrow_in_steps(module: ir.Module) -> int:
    """Round f64 to f16 and bf16 by way of f32, scalars and vectors; how many ops did.

    None may be in the body of a named op of linalg, which has to stay what it is.
    """
    found = narrowings(module)
    for op in found:
        with ir.InsertionPoint(op), op.location:
            odd = _rounded_to_odd(_sum(op) if op.name == "math.fma" else op.operands[0])
            narrow = _make("arith.truncf", [odd], op.results[0].type)
            op.results[0].replace_all_uses_with(narrow)
        op.erase()
    return len(found)


def _sum(op: ir.Operation) -> ir.Value:
    """What a fused multiply-add makes, in f64."""
    wide = _like(op.results[0].type, ir.F64Type.get())
    return _make("math.fma", [_make("arith.extf", [value], wide) for value in op.operands], wide)


def _rounded_to_odd(value: ir.Value) -> ir.Value:
    f32, i32, i1 = ir.F32Type.get(), ir.IntegerType.get_signless(32), ir.IntegerType.get_signless(1)
    wide, bit = value.type, _like(value.type, i1)
    near = _make("arith.truncf", [value], _like(wide, f32))
    back = _make("arith.extf", [near], wide)
    bits = _make("arith.bitcast", [near], _like(wide, i32))
    one, zero = (_number(bits.type, number) for number in (1, 0))
    # Neither for infinities nor for what is no number.
    inexact = _compare("arith.cmpf", arith.CmpFPredicate.ONE, back, value)
    last = _make("arith.andi", [bits, one], bits.type)
    even = _compare("arith.cmpi", arith.CmpIPredicate.eq, last, zero)
    change = _make("arith.andi", [inexact, even], bit)
    sizes = [_make("math.absf", [each], wide) for each in (back, value)]
    beyond = _compare("arith.cmpf", arith.CmpFPredicate.OGT, *sizes)
    inner, outer = (_make(name, [bits, one], bits.type) for name in ("arith.subi", "arith.addi"))
    other = _make("arith.select", [beyond, inner, outer], bits.type)
    odd = _make("arith.select", [change, other, bits], bits.type)
    return _make("arith.bitcast", [odd], near.type)


def _element(kind: ir.Type) -> ir.Type:
    return kind.element_type if isinstance(kind, ir.VectorType) else kind


def _like(kind: ir.Type, element: ir.Type) -> ir.Type:
    if not isinstance(kind, ir.VectorType):
        return element
    return ir.VectorType.get(kind.shape, element, scalable=kind.scalable_dims if kind.scalable else None)


def _number(kind: ir.Type, number: int) -> ir.Value:
    attribute: ir.Attribute = ir.IntegerAttr.get(_element(kind), number)
    if isinstance(kind, ir.VectorType):
        attribute = ir.DenseElementsAttr.get_splat(kind, attribute)
    return _make("arith.constant", [], kind, value=attribute)


def _compare(name: str, predicate: int, left: ir.Value, right: ir.Value) -> ir.Value:
    i64 = ir.IntegerType.get_signless(64)
    kind = _like(left.type, ir.IntegerType.get_signless(1))
    return _make(name, [left, right], kind, predicate=ir.IntegerAttr.get(i64, int(predicate)))


def _make(name: str, operands: Sequence[ir.Value], kind: ir.Type, **attributes: ir.Attribute) -> ir.Value:
    made: ir.Value = ir.Operation.create(name, [kind], list(operands), attributes=attributes).result
    return made
