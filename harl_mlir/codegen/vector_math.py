"""Calls of the system's vector math library in the place of one call of libm an element."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.codegen.vector_library import LEVELS, is_in_libmvec, vector_symbol
from harl_mlir.codegen.vectors import (
    extended,
    extract,
    flattened,
    insert,
    lanes_from,
    make,
    places,
    put_lanes,
    shuffle,
    truncated,
)
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
        return call_declared(self._module, symbol, operands)


def _replace(op: ir.Operation, calls: _Calls) -> bool:
    kind = op.results[0].type
    if not isinstance(kind, ir.VectorType) or kind.scalable or not kind.rank:
        return False
    single = _computed_in(kind.element_type)
    widths = calls.widths(_NAMES[op.name], len(op.operands), str(single)) if single else []
    if not widths:
        return False
    with ir.InsertionPoint(op), op.location:
        operands = [extended(value, single) for value in op.operands]
        value = truncated(_by_rows(operands, widths, calls), kind)
    op.results[0].replace_all_uses_with(value)
    op.erase()
    return True


def _computed_in(element: ir.Type) -> ir.Type | None:
    """The type in which functions of `element` are computed, or None."""
    name = str(element)
    return ir.Type.parse("f32") if name in _WIDENED else element if name in _ENDS else None


def _by_rows(operands: list[ir.Value], widths: list[tuple[int, str]], calls: _Calls) -> ir.Value:
    """The function of vectors of any shape: row by row where whole vectors fit, else as one row."""
    kind = operands[0].type
    if kind.rank == 1:
        return _of_row(operands, widths, calls)
    if kind.shape[-1] % widths[0][0]:
        row = _of_row([flattened(value) for value in operands], widths, calls)
        return make("vector.shape_cast", [row], kind)
    made = operands[0]
    for place in places(kind.shape[:-1]):
        rows = [extract(value, *place) for value in operands]
        made = insert(_of_row(rows, widths, calls), made, *place)
    return made


def _of_row(operands: list[ir.Value], widths: list[tuple[int, str]], calls: _Calls) -> ir.Value:
    count = operands[0].type.shape[0]
    made = operands[0]
    start = 0
    while start < count:
        lanes, symbol = _width(count - start, widths)
        held = min(lanes, count - start)
        parts = [lanes_from(value, start, held) for value in operands]
        if held < lanes:
            parts = [shuffle(part, part, [min(lane, held - 1) for lane in range(lanes)]) for part in parts]
        value = lanes_from(calls.call(symbol, parts), 0, held)
        made = put_lanes(value, made, start)
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
    single = _computed_in(element)
    if single is None or (is_vector and kind.scalable):
        return False

    def one(value: ir.Value) -> ir.Value:
        called = call_declared(module, _INEXACT[op.name] + _ENDS[str(single)], [extended(value, single)])
        return truncated(called, element)

    with ir.InsertionPoint(op), op.location:
        made = op.operands[0]
        if is_vector:
            for place in places(kind.shape):
                made = insert(one(extract(op.operands[0], *place)), made, *place)
        else:
            made = one(made)
    op.results[0].replace_all_uses_with(made)
    op.erase()
    return True


def call_declared(module: ir.Module, symbol: str, operands: Sequence[ir.Value]) -> ir.Value:
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
