"""Copies that bring numbers together that a dot product takes as a group, by shuffles of whole registers.

A schedule leaves them as transpositions between a read and a write. `[g, n] -> [n, g]` interleaves `g` rows;
`[a, b, g] -> [b, a, g]` transposes a square of groups of 32 bits. What is made is stored as rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harl_mlir.codegen.vectors import bitcast, extract, insert, make, row_of, shuffle, vector_type
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, ir
from harl_mlir.processor import DOT_PRODUCTS

_SQUARE = 16


def group_copies(module: ir.Module) -> None:
    """Rewrite the transpositions of groups of a module in place."""
    # All found first: of an op that is erased nothing may be asked any more.
    for op in [op for op in all_ops(module.operation) if op.name == "vector.transpose"]:
        kind = ir.VectorType(op.results[0].type)
        dot = DOT_PRODUCTS.get(str(kind.element_type))
        if dot is None or kind.shape[-1] != dot.group:
            continue
        # The order of what has more than one element.
        given = ir.VectorType(op.operands[0].type).shape
        kept = [d for d in ir.DenseI64ArrayAttr(op.attributes["permutation"]) if given[d] > 1]
        order = [sorted(kept).index(d) for d in kept]
        with ir.InsertionPoint(op), op.location:
            if order == [1, 0]:
                _replace(op, [_interleaved(op, dot.group)])
            elif order == [1, 0, 2] and list(kind.shape)[-3:-1] == [_SQUARE, _SQUARE]:
                _replace(op, _transposed(op))


def _interleaved(op: ir.Operation, group: int) -> ir.Value:
    """The rows of the op's operand as one, an element of each in turn."""
    kind = ir.VectorType(op.results[0].type)
    count = math.prod(kind.shape) // group
    table = ir.VectorType.get([group, count], kind.element_type)
    source = make("vector.shape_cast", [op.operands[0]], table)
    bits = ir.IntegerType.get_signless(32 // group)
    rows = [bitcast(extract(source, number), vector_type(count, bits)) for number in range(group)]
    while len(rows) > 1:
        half = len(rows) // 2
        rows = [_interleave(rows[n], rows[n + half]) for n in range(half)]
    return bitcast(rows[0], vector_type(count * group, kind.element_type))


def _interleave(even: ir.Value, odd: ir.Value) -> ir.Value:
    count, element = even.type.shape[0], even.type.element_type
    return make("vector.interleave", [even, odd], vector_type(2 * count, element))


def _transposed(op: ir.Operation) -> list[ir.Value]:
    """The rows of the transposed square, each of groups that follow each other."""
    kind = ir.VectorType(op.results[0].type)
    whole = vector_type(_SQUARE, ir.IntegerType.get_signless(32))
    table = ir.VectorType.get([_SQUARE, _SQUARE * kind.shape[-1]], kind.element_type)
    source = make("vector.shape_cast", [op.operands[0]], table)
    rows = [bitcast(extract(source, n), whole) for n in range(_SQUARE)]
    step = 1
    while step < _SQUARE:
        lanes = range(_SQUARE)
        low = [_SQUARE + lane - step if lane & step else lane for lane in lanes]
        high = [_SQUARE + lane if lane & step else lane + step for lane in lanes]
        for number in range(_SQUARE):
            if not number & step:
                pair = rows[number], rows[number + step]
                rows[number], rows[number + step] = shuffle(*pair, low), shuffle(*pair, high)
        step *= 2
    narrow = vector_type(_SQUARE * kind.shape[-1], kind.element_type)
    return [bitcast(row, narrow) for row in rows]


def _replace(op: ir.Operation, rows: Sequence[ir.Value]) -> None:
    """Write `rows` where the op's result is written; elsewhere put them together to what the op gives."""
    result = op.results[0]
    # Between lanes and group there may be dimensions of size one.
    lanes, group = ir.VectorType(result.type).shape[-2:]
    in_rows = lanes * group == rows[0].type.shape[0]
    for use in list(result.uses) if in_rows else ():
        user = use.owner
        if user.name != "vector.transfer_write" or use.operand_number != 0:
            continue
        with ir.InsertionPoint(user), user.location:
            place = row_of(user)
            if place is None:
                continue
            buffer, indices = place
            for number, row in enumerate(rows):
                at = list(indices)
                if number:
                    offset = arith.ConstantOp(ir.IndexType.get(), number).result
                    at[-2] = arith.AddIOp(at[-2], offset).result
                ir.Operation.create("vector.store", operands=[row, buffer, *at])
        user.erase()
    if list(result.uses):
        result.replace_all_uses_with(_assembled(rows, result.type))
    op.erase()


def _assembled(rows: Sequence[ir.Value], kind: ir.VectorType) -> ir.Value:
    if len(rows) == 1:
        return make("vector.shape_cast", [rows[0]], kind)
    element = kind.element_type
    table = ir.VectorType.get([len(rows), rows[0].type.shape[0]], element)
    made = make("ub.poison", [], table)
    for number, row in enumerate(rows):
        made = insert(row, made, number)
    return make("vector.shape_cast", [made], kind)
