"""Reading the loop-nest facts of a linalg op from IR."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harl_mlir.frontend.program import indexing_maps, made_by
from harl_mlir.mlir import ir
from harl_mlir.tasks.body import normalise
from harl_mlir.tasks.linalg_op import AffineRow, BodyOp, IteratorKind, LinalgOp, Operand, plain_loop

ELEMENT = re.compile(r"f16|bf16|f32|f64|index|i(1|8|16|32|64)")
_DEFAULT_ATTRIBUTES = frozenset(
    {"#arith.fastmath<none>", "#arith.overflow<none>", "#arith.rounding_mode<to_nearest_even>"}
)


class UnsupportedOpError(Exception):
    """A linalg op that is left as it was; `reason` completes the sentence "it ...", for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_facts(op: ir.Operation) -> LinalgOp:
    """The facts of one linalg op on tensors.

    Raises:
        UnsupportedOpError: the op has no static loop nest with one result and a scalar body of known ops.
    """
    maps = indexing_maps(op)
    if maps is None:
        raise UnsupportedOpError(f"{op.name} is not a loop nest; decompose it first")
    values = list(op.operands)
    if any(isinstance(value.type, (ir.MemRefType, ir.UnrankedMemRefType)) for value in values):
        raise UnsupportedOpError("it works on memrefs")
    if len(op.results) != 1:
        raise UnsupportedOpError("it has several results")
    operands = tuple(_operand(v.type, m) for v, m in zip(values, maps, strict=True))
    dims = _dims(maps[0].n_dims, operands)
    iterators = _iterators(op, operands[-1], len(dims))
    body, yields = _body(op.regions[0].blocks[0], len(operands))
    return LinalgOp(op.name, dims, iterators, operands, body, yields)


def _operand(type_: ir.Type, map_: ir.AffineMap) -> Operand:
    if isinstance(type_, ir.RankedTensorType):
        if not type_.has_static_shape:
            raise UnsupportedOpError("it has dynamic shapes")
        if 0 in type_.shape:
            raise UnsupportedOpError("it has a dimension of size zero")
        if type_.encoding is not None:
            raise UnsupportedOpError("a tensor has an encoding")
        shape, element, scalar = tuple(type_.shape), str(type_.element_type), False
    else:
        shape, element, scalar = (), str(type_), True
    if not ELEMENT.fullmatch(element):
        raise UnsupportedOpError(f"elements of type {element} are not supported")
    if map_.n_symbols:
        raise UnsupportedOpError("an indexing map has symbols")
    rows = tuple(_row(expression, map_.n_dims) for expression in map_.results)
    return Operand(shape, element, rows, scalar)


def _row(expression: ir.AffineExpr, dims: int) -> AffineRow:
    if isinstance(expression, ir.AffineDimExpr):
        return (*(int(d == expression.position) for d in range(dims)), 0)
    if isinstance(expression, ir.AffineConstantExpr):
        return (*(0,) * dims, expression.value)
    if isinstance(expression, ir.AffineAddExpr):
        left, right = _row(expression.lhs, dims), _row(expression.rhs, dims)
        return tuple(a + b for a, b in zip(left, right, strict=True))
    if isinstance(expression, ir.AffineMulExpr):
        left, right = _row(expression.lhs, dims), _row(expression.rhs, dims)
        if any(left[:-1]):
            left, right = right, left
        return tuple(left[-1] * b for b in right)
    raise UnsupportedOpError("an indexing map divides or takes a remainder")


def _dims(count: int, operands: Sequence[Operand]) -> tuple[int, ...]:
    extents: dict[int, int] = {}
    for operand in operands:
        for size, row in zip(operand.shape, operand.map, strict=True):
            loop = plain_loop(row)
            if loop is not None:
                extents[loop] = size
    if len(extents) != count:
        raise UnsupportedOpError("the extent of a loop follows from no operand")
    return tuple(extents[d] for d in range(count))


def _iterators(op: ir.Operation, init: Operand, count: int) -> tuple[IteratorKind, ...]:
    written = [plain_loop(row) for row in init.map]
    if None in written or len(set(written)) != len(written):
        raise UnsupportedOpError("its result is not indexed by plain loops")
    # In every named op the loops of the result are the parallel ones; only a generic could differ.
    kinds: tuple[IteratorKind, ...] = tuple("parallel" if d in written else "reduction" for d in range(count))
    if "iterator_types" in op.attributes:
        given = tuple(
            "parallel" if "parallel" in str(a) else "reduction" for a in op.attributes["iterator_types"]
        )
        if given != kinds:
            raise UnsupportedOpError("its parallel loops are not those of its result")
    return kinds


def _body(block: ir.Block, operands: int) -> tuple[tuple[BodyOp, ...], int]:
    if len(block.arguments) != operands:
        raise UnsupportedOpError("its body does not take one value for each operand")
    numbers = {argument: i for i, argument in enumerate(block.arguments)}
    ops: list[BodyOp] = []

    def number(value: ir.Value) -> int:
        if value not in numbers:
            ops.append(_captured(value))
            numbers[value] = operands + len(ops) - 1
        return numbers[value]

    for view in block.operations:
        op = view.operation
        if op.name == "linalg.yield":
            return normalise(operands, ops, number(op.operands[0]))
        used = tuple(number(value) for value in op.operands)
        ops.append(_body_op(op, used))
        numbers[op.results[0]] = operands + len(ops) - 1
    raise UnsupportedOpError("its body yields nothing")


def _captured(value: ir.Value) -> BodyOp:
    """A constant from outside the body belongs to the body."""
    constant = made_by(value, "arith.constant")
    if constant is None:
        raise UnsupportedOpError("its body uses a value from outside that is no constant")
    return _body_op(constant, ())


def _body_op(op: ir.Operation, operands: tuple[int, ...]) -> BodyOp:
    known = op.name.startswith(("arith.", "math.")) or op.name == "linalg.index"
    if not known or len(op.results) != 1 or len(op.regions):
        raise UnsupportedOpError(f"its body holds {op.name}")
    result = str(op.results[0].type)
    for value in (*op.operands, *op.results):
        if not ELEMENT.fullmatch(str(value.type)):
            raise UnsupportedOpError(f"its body computes with {value.type}")
    attributes = [(name, attribute_text(op.attributes[name])) for name in op.attributes]
    kept = tuple(sorted((n, t) for n, t in attributes if t not in _DEFAULT_ATTRIBUTES))
    return BodyOp(op.name, operands, result, kept)


def attribute_text(attribute: ir.Attribute) -> str:
    """Digits for an integer, the shortest exact decimal for a float, else what MLIR prints."""
    if isinstance(attribute, ir.BoolAttr):
        return str(int(attribute.value))
    if isinstance(attribute, ir.IntegerAttr):
        return str(abs(attribute.value) if str(attribute.type) == "i1" else attribute.value)
    if isinstance(attribute, ir.FloatAttr):
        return repr(float(attribute.value))
    return str(attribute)
