"""Polynomials in the place of calls of the math library: `approximate` accuracy.

What each function is made of, and how far it may be off, is in `approximate.mlir`, and for processors with
AVX-512 in `approximate_avx512.mlir`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from harl_mlir.codegen.gelu import exp_in_sigmoid, gelu_around
from harl_mlir.codegen.vector_math import call_declared
from harl_mlir.codegen.vectors import (
    extended,
    extract,
    insert,
    lanes_from,
    make,
    places,
    put_lanes,
    resized,
    truncated,
    vector_type,
)
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, func, ir
from harl_mlir.processor import AVX512

_FUNCTIONS = Path(__file__).with_name("approximate.mlir")
_TABLES = Path(__file__).with_name("approximate_avx512.mlir")
_NAMES = {f"math.{name}": name for name in ("exp", "log", "tanh", "erf")}
_ELEMENTS = (ir.F32Type, ir.F16Type, ir.BF16Type)
_BY_TABLE = ("exp", "exp_in_sigmoid", "tanh", "gelu", "gelu_tanh")
_LANES = 16
_SCALE = "llvm.x86.avx512.mask.scalef.ps.512"
_ENTRY = "llvm.x86.avx512.permvar.sf.512"
_ALL_LANES, _ROUND_AS_EVER = -1, 4


def approximate_math(module: ir.Module, features: Collection[str] = ()) -> None:
    """Replace `math.exp`, `log`, `tanh` and `erf`, of scalars or vectors, by arithmetic, in place.

    So is x (1 + erf(x / sqrt(2))) / 2, GELU, as a whole. Of f32 and, through that, of f16 and bf16; other
    types, and other functions, are left to the math library. `features` are the processor's: with AVX-512
    all but `log` and `erf` are polynomials of fewer terms, and so is the GELU that is written with `tanh`; of
    exp(-x) in 1 + exp(-x) only what the sum needs is computed.
    """
    found = [op for op in all_ops(module.operation) if op.name in _NAMES and _is_known(op.results[0].type)]
    if not found:
        return
    tables = AVX512 in features
    functions = _Functions(module, (_FUNCTIONS, _TABLES) if tables else (_FUNCTIONS,))
    for op in found:
        whole = gelu_around(op, tables) or (exp_in_sigmoid(op) if tables else None)
        replaced, name, argument = whole or ([op], _NAMES[op.name], op.operands[0])
        with ir.InsertionPoint(replaced[-1]), op.location:
            single = extended(argument, ir.F32Type.get())
            value = functions.inline(f"{name}_by_table" if tables and name in _BY_TABLE else name, single)
            value = truncated(value, argument.type)
        replaced[-1].results[0].replace_all_uses_with(value)
        for each in reversed(replaced):
            each.erase()


class _Functions:
    """The functions of some files, for a module."""

    def __init__(self, module: ir.Module, files: Sequence[Path]) -> None:
        self._module = module
        self._parsed = [ir.Module.parse(file.read_text()) for file in files]
        self._bodies = {
            op.opview.name.value: op.opview.body
            for functions in self._parsed
            for op in functions.body.operations
            if isinstance(op.opview, func.FuncOp)
        }

    def inline(self, name: str, *arguments: ir.Value) -> ir.Value:
        """The function's ops at the insertion point, for scalars or vectors as the arguments are."""
        if not len(self._bodies[name].blocks):
            return self._declared(name, *arguments)
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

    def _declared(self, name: str, first: ir.Value, second: ir.Value) -> ir.Value:
        """@scale or @entry, by calls of what LLVM knows by name: buffers' deallocation refuses intrinsics."""
        if name == "entry":
            return _by_registers(lambda index: call_declared(self._module, _ENTRY, [second, *index]), [first])
        every = arith.ConstantOp(ir.IntegerType.get_signless(16), _ALL_LANES).result
        rounding = arith.ConstantOp(ir.IntegerType.get_signless(32), _ROUND_AS_EVER).result

        def scaled(lanes: Sequence[ir.Value]) -> ir.Value:
            return call_declared(self._module, _SCALE, [*lanes, lanes[0], every, rounding])

        return _by_registers(scaled, [first, second])


_Instruction = Callable[[Sequence[ir.Value]], ir.Value]


def _by_registers(instruction: _Instruction, operands: Sequence[ir.Value]) -> ir.Value:
    """What an instruction of registers, whose result is of f32, makes of scalars or vectors of one shape."""
    kind = operands[0].type
    if not isinstance(kind, ir.VectorType):
        wide = [make("vector.broadcast", [each], vector_type(_LANES, each.type)) for each in operands]
        return extract(instruction(wide), 0)
    if not kind.rank:
        one = _by_registers(instruction, [extract(each) for each in operands])
        return make("vector.broadcast", [one], ir.VectorType.get([], one.type))
    if kind.rank == 1:
        return _row_by_registers(instruction, operands)
    made = _zeros(kind.shape)
    for place in places(kind.shape[:-1]):
        row = _row_by_registers(instruction, [extract(each, *place) for each in operands])
        made = insert(row, made, *place)
    return made


def _row_by_registers(instruction: _Instruction, rows: Sequence[ir.Value]) -> ir.Value:
    count = rows[0].type.shape[0]
    rounded = -(-count // _LANES) * _LANES
    rows = [resized(row, rounded) for row in rows]
    if rounded == _LANES:
        return resized(instruction(rows), count)
    whole = _zeros([rounded])
    for first in range(0, rounded, _LANES):
        part = instruction([lanes_from(row, first, _LANES) for row in rows])
        whole = put_lanes(part, whole, first)
    return resized(whole, count)


def _zeros(shape: Sequence[int]) -> ir.Value:
    kind = ir.VectorType.get(list(shape), ir.F32Type.get())
    return arith.ConstantOp(kind, ir.DenseElementsAttr.get_splat(kind, ir.FloatAttr.get_f32(0.0))).result


def _widened(op: ir.Operation, operands: list[ir.Value], like: ir.Type) -> ir.Value:
    """A copy of a scalar op, for vectors of the shape of `like` if that is one; of a table as it is."""
    kind = op.results[0].type
    attributes = {name: op.attributes[name] for name in op.attributes}
    if isinstance(like, ir.VectorType) and not isinstance(kind, ir.VectorType):
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
