"""Polynomials in the place of calls of the math library: `approximate` accuracy.

What each function is made of, and how far it may be off, is in `approximate.mlir`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from pathlib import Path

from harl_mlir.codegen.vector_math import call_declared
from harl_mlir.codegen.vectors import extended, extract, insert, lanes_from, places, put_lanes, truncated
from harl_mlir.frontend.program import all_ops, constant_number, made_by
from harl_mlir.mlir import arith, func, ir
from harl_mlir.processor import AVX512

_FUNCTIONS = Path(__file__).with_name("approximate.mlir")
_NAMES = {f"math.{name}": name for name in ("exp", "log", "tanh", "erf")}
_ELEMENTS = (ir.F32Type, ir.F16Type, ir.BF16Type)
_NEAR = 1e-6
_BY_SCALE = {"exp": "exp_by_scale"}
_LANES = 16
_SCALE = "llvm.x86.avx512.mask.scalef.ps.512"
_ALL_LANES, _ROUND_AS_EVER = -1, 4


def approximate_math(module: ir.Module, features: Collection[str] = ()) -> None:
    """Replace `math.exp`, `log`, `tanh` and `erf`, of scalars or vectors, by arithmetic, in place.

    So is x (1 + erf(x / sqrt(2))) / 2, GELU, as a whole. Of f32 and, through that, of f16 and bf16; other
    types, and other functions, are left to the math library. `features` are the processor's: with AVX-512
    exp of whole registers is fewer instructions, and the same numbers.
    """
    found = [op for op in all_ops(module.operation) if op.name in _NAMES and _is_known(op.results[0].type)]
    if not found:
        return
    functions = _Functions(ir.Module.parse(_FUNCTIONS.read_text()), module)
    for op in found:
        gelu = _gelu_around(op) if op.name == "math.erf" else None
        replaced, name, argument = gelu or ([op], _NAMES[op.name], op.operands[0])
        with ir.InsertionPoint(replaced[-1]), op.location:
            single = extended(argument, ir.F32Type.get())
            if AVX512 in features and _is_whole(single.type):
                name = _BY_SCALE.get(name, name)
            value = functions.inline(name, single)
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
    """The functions of `approximate.mlir`, for a module."""

    def __init__(self, functions: ir.Module, module: ir.Module) -> None:
        self._functions = functions
        self._module = module
        self._bodies = {
            op.opview.name.value: op.opview.body
            for op in functions.body.operations
            if isinstance(op.opview, func.FuncOp)
        }

    def inline(self, name: str, *arguments: ir.Value) -> ir.Value:
        """The function's ops at the insertion point, for scalars or vectors as the arguments are."""
        if not len(self._bodies[name].blocks):
            return _scaled(self._module, *arguments)
        block = self._bodies[name].blocks[0]
        values = dict(zip(block.arguments, arguments, strict=True))
        for view in block.operations:
            op = view.operation
            operands = [values[value] for value in op.operands]
            if op.name == "func.return":
                return operands[0]
            if op.name == "func.call":
                made = self.inline(ir.FlatSymbolRefAttr(op.attributes["callee"]).value, *operands)
            else:
                made = _widened(op, operands, arguments[0].type)
            values[op.results[0]] = made
        raise ValueError(f"@{name} returns nothing")


def _scaled(module: ir.Module, values: ir.Value, powers: ir.Value) -> ir.Value:
    """@scale: `values` times two to the `powers`, by the processor's instruction for each register."""
    every = arith.ConstantOp(ir.IntegerType.get_signless(16), _ALL_LANES).result
    rounding = arith.ConstantOp(ir.IntegerType.get_signless(32), _ROUND_AS_EVER).result
    made = values
    for place in places(values.type.shape[:-1]):
        row, by = (extract(each, *place) if place else each for each in (values, powers))
        whole = row
        for first in range(0, row.type.shape[0], _LANES):
            lanes, n = (lanes_from(each, first, _LANES) for each in (row, by))
            # A call of what LLVM knows by name: the deallocation of buffers refuses intrinsics.
            part = call_declared(module, _SCALE, [lanes, n, lanes, every, rounding])
            whole = put_lanes(part, whole, first)
        made = insert(whole, made, *place) if place else whole
    return made


def _is_whole(kind: ir.Type) -> bool:
    """Whether it is a vector whose rows fill registers."""
    return isinstance(kind, ir.VectorType) and kind.rank > 0 and kind.shape[-1] % _LANES == 0


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
