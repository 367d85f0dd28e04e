"""Calls of the system's vector math library in the place of one call of libm an element."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from harl_mlir.codegen.vector_library import LEVELS, is_in_libmvec, vector_symbol
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import func, ir

_SAME_NAMES = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp",
    "exp2", "expm1", "log", "log10", "log1p", "log2", "sin", "sinh", "tan", "tanh",
)  # fmt: skip
_NAMES = {**{f"math.{name}": name for name in _SAME_NAMES}, "math.powf": "pow"}
_ENDS = {"f32": "f", "f64": ""}
_BYTES = {"f32": 4, "f64": 8}
_WIDENED = ("f16", "bf16")
_INEXACT = {"math.log1p": "log1p", "math.expm1": "expm1"}

_Function = Callable[[list[ir.Value]], ir.Value]


def vector_math(module: ir.Module, level: str) -> int:
    """Replace functions of vectors by calls of libmvec for an instruction set (`vector_library.LEVELS`).

    Vectors of any shape, of f32, f64 and, through f32, of f16 and bf16, in pieces of the processor's width;
    the last is filled up. What the library does not have is left. Returns how many were replaced.
    """
    calls = _Calls(module, level)
    found = [op for op in all_ops(module.operation) if op.name in _NAMES]
    return sum(_replace(op, calls) for op in found)


def exact_near_zero(module: ir.Module) -> int:
    """Replace `math.log1p` and `math.expm1` that are left by calls of libm; returns how many.

    MLIR's conversion to LLVM makes log(1 + x) and exp(x) - 1 of them, which for small x have no digit right.
    """
    found = [op for op in all_ops(module.operation) if op.name in _INEXACT]
    return sum(_by_elements(module, op) for op in found)


class _Calls:
    """Calls of a module to the library's functions, which it declares."""

    def __init__(self, module: ir.Module, level: str) -> None:
        self._module = module
        self._sets = LEVELS[level]

    def widths(self, name: str, operands: int, element: str) -> list[tuple[int, str]]:
        """Lanes of the functions there are for libm's `name`, with their names; widest first."""
        made = [(size // _BYTES[element], letter) for letter, size in self._sets]
        named = [
            (lanes, vector_symbol(name + _ENDS[element], operands, letter, lanes)) for lanes, letter in made
        ]
        return [(lanes, symbol) for lanes, symbol in named if is_in_libmvec(symbol)]

    def call(self, symbol: str, operands: Sequence[ir.Value]) -> ir.Value:
        return _call(self._module, symbol, operands)


def _replace(op: ir.Operation, calls: _Calls) -> bool:
    kind = op.results[0].type
    if not isinstance(kind, ir.VectorType) or kind.scalable or not kind.rank:
        return False
    element = str(kind.element_type)
    narrow = element in _WIDENED
    if not narrow and element not in _ENDS:
        return False
    single = "f32" if narrow else element
    widths = calls.widths(_NAMES[op.name], len(op.operands), single)
    if not widths:
        return False
    with ir.InsertionPoint(op), op.location:
        wide = ir.VectorType.get(kind.shape, ir.Type.parse(single))
        operands = [_op("arith.extf", [v], wide) if narrow else v for v in op.operands]
        value = _by_rows(operands, widths, calls)
        if narrow:
            value = _op("arith.truncf", [value], kind)
    op.results[0].replace_all_uses_with(value)
    op.erase()
    return True


def _by_rows(operands: list[ir.Value], widths: list[tuple[int, str]], calls: _Calls) -> ir.Value:
    """The function of vectors of any shape: row by row where whole vectors fit, else as one row."""
    kind = operands[0].type
    if kind.rank == 1:
        return _of_row(operands, widths, calls)
    if kind.shape[-1] % widths[0][0]:
        row = ir.VectorType.get([math.prod(kind.shape)], kind.element_type)
        flat = [_op("vector.shape_cast", [value], row) for value in operands]
        return _op("vector.shape_cast", [_of_row(flat, widths, calls)], kind)
    row = ir.VectorType.get(kind.shape[-1:], kind.element_type)
    made = operands[0]
    for place in _places(kind.shape[:-1]):
        position = ir.DenseI64ArrayAttr.get(place)
        rows = [_op("vector.extract", [value], row, static_position=position) for value in operands]
        made = _op("vector.insert", [_of_row(rows, widths, calls), made], kind, static_position=position)
    return made


def _of_row(operands: list[ir.Value], widths: list[tuple[int, str]], calls: _Calls) -> ir.Value:
    kind = operands[0].type
    count, element = kind.shape[0], kind.element_type
    made = operands[0]
    start = 0
    while start < count:
        lanes, symbol = _width(count - start, widths)
        if lanes == count:
            return calls.call(symbol, operands)
        held = min(lanes, count - start)
        piece = ir.VectorType.get([held], element)
        parts = [_slice(value, start, piece) for value in operands]
        if held < lanes:
            parts = [_chosen(value, [min(i, held - 1) for i in range(lanes)]) for value in parts]
        value = calls.call(symbol, parts)
        if held < lanes:
            value = _slice(value, 0, piece)
        made = _op(
            "vector.insert_strided_slice", [value, made], kind, offsets=_numbers(start), strides=_numbers(1)
        )
        start += held
    return made


def _width(left: int, widths: list[tuple[int, str]]) -> tuple[int, str]:
    """The widest function that is filled, or the narrowest that holds all that is left."""
    fitting = [width for width in widths if width[0] >= left]
    return fitting[-1] if fitting else widths[0]


def _by_elements(module: ir.Module, op: ir.Operation) -> bool:
    kind = op.results[0].type
    is_vector = isinstance(kind, ir.VectorType)
    element = kind.element_type if is_vector else kind
    name = str(element)
    if name not in (*_ENDS, *_WIDENED) or (is_vector and kind.scalable):
        return False
    single = ir.Type.parse("f32") if name in _WIDENED else element

    def one(value: ir.Value) -> ir.Value:
        wide = _op("arith.extf", [value], single) if name in _WIDENED else value
        made = _call(module, _INEXACT[op.name] + _ENDS[str(single)], [wide])
        return _op("arith.truncf", [made], element) if name in _WIDENED else made

    with ir.InsertionPoint(op), op.location:
        if is_vector:
            made = op.operands[0]
            for place in _places(kind.shape):
                position = ir.DenseI64ArrayAttr.get(place)
                taken = _op("vector.extract", [op.operands[0]], element, static_position=position)
                made = _op("vector.insert", [one(taken), made], kind, static_position=position)
        else:
            made = one(op.operands[0])
    op.results[0].replace_all_uses_with(made)
    op.erase()
    return True


def _call(module: ir.Module, symbol: str, operands: Sequence[ir.Value]) -> ir.Value:
    """A call of a function that is declared where it is not yet."""
    kind = operands[0].type
    if symbol not in ir.SymbolTable(module.operation):
        with ir.InsertionPoint.at_block_begin(module.body):
            declared = func.FuncOp(
                symbol, ([operand.type for operand in operands], [kind]), visibility="private"
            )
        declared.attributes["llvm.readnone"] = ir.UnitAttr.get()
    made: ir.Value = func.CallOp([kind], symbol, list(operands)).results[0]
    return made


def _places(shape: Sequence[int]) -> Iterator[list[int]]:
    for number in range(math.prod(shape)):
        place = []
        for size in reversed(shape):
            place.append(number % size)
            number //= size
        yield place[::-1]


def _slice(vector: ir.Value, first: int, kind: ir.VectorType) -> ir.Value:
    return _op(
        "vector.extract_strided_slice",
        [vector],
        kind,
        offsets=_numbers(first),
        sizes=_numbers(kind.shape[0]),
        strides=_numbers(1),
    )


def _chosen(vector: ir.Value, lanes: Sequence[int]) -> ir.Value:
    kind = ir.VectorType.get([len(lanes)], vector.type.element_type)
    return _op("vector.shuffle", [vector, vector], kind, mask=ir.DenseI64ArrayAttr.get(list(lanes)))


def _op(name: str, operands: Sequence[ir.Value], result: ir.Type, **attributes: ir.Attribute) -> ir.Value:
    made: ir.Value = ir.Operation.create(
        name, results=[result], operands=list(operands), attributes=attributes
    ).result
    return made


def _numbers(*values: int) -> ir.ArrayAttr:
    kind = ir.IntegerType.get_signless(64)
    return ir.ArrayAttr.get([ir.IntegerAttr.get(kind, value) for value in values])
