"""Tiles transposed by shuffles of registers, in loops that a schedule marks with `harl.transposed`.

MLIR's patterns do so for 16 x 16 elements. Of a tile of `rows` x `columns`, powers of two, neighbouring rows
are put together until there are as many registers as columns. Each of log2(columns) steps then makes one of
two registers of their even lanes, and the other of their odd ones, so that a bit of the lane changes places
with a bit of the register's number. More columns than rows are several such tiles. Any other is lowered as
it stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.codegen.vectors import extract, insert, lanes_from, make, shuffle
from harl_mlir.frontend.program import TRANSPOSED, all_ops
from harl_mlir.mlir import ir

_FEWEST = 2


def transpose_tiles(module: ir.Module) -> int:
    """Transpose tiles in marked loops by shuffles, and take the marks away; returns how many it were."""
    count = 0
    ops = all_ops(module.operation)
    for op in ops:
        if op.name == "vector.transpose" and _is_marked(op) and _may_be_shuffled(op):
            with ir.InsertionPoint(op), op.location:
                op.results[0].replace_all_uses_with(_transposed(op))
            op.erase()
            count += 1
    for op in all_ops(module.operation):
        if op.name == "scf.for" and TRANSPOSED in op.attributes:
            del op.attributes[TRANSPOSED]
    return count


def _is_marked(op: ir.Operation) -> bool:
    around = op.parent
    while around is not None:
        if around.name == "scf.for" and TRANSPOSED in around.attributes:
            return True
        around = around.operation.parent
    return False


def _may_be_shuffled(op: ir.Operation) -> bool:
    kind = ir.VectorType(op.operands[0].type)
    return (
        kind.rank == 2
        and not kind.scalable
        and list(ir.DenseI64ArrayAttr(op.attributes["permutation"])) == [1, 0]
        and all(size >= _FEWEST and size & (size - 1) == 0 for size in kind.shape)
    )


def _transposed(op: ir.Operation) -> ir.Value:
    source, kind = op.operands[0], ir.VectorType(op.results[0].type)
    columns, count = kind.shape
    rows = [extract(source, number) for number in range(count)]
    side = min(columns, count)
    made: list[ir.Value] = []
    for first in range(0, columns, side):
        made += _of_tile([lanes_from(row, first, side) for row in rows])
    result = make("ub.poison", [], kind)
    for number, row in enumerate(made):
        result = insert(row, result, number)
    return result


def _of_tile(rows: Sequence[ir.Value]) -> list[ir.Value]:
    """The columns of a tile that has no more of them than rows."""
    count, columns = len(rows), rows[0].type.shape[0]
    held = list(rows)
    while len(held) > columns:
        both = range(2 * held[0].type.shape[0])
        held = [shuffle(held[n], held[n + 1], both) for n in range(0, len(held), 2)]
    step = 1
    while step < columns:
        for number in range(columns):
            if not number & step:
                pair = held[number], held[number + step]
                for place, first in ((number, 0), (number + step, 1)):
                    held[place] = shuffle(*pair, range(first, 2 * count, 2))
        step *= 2
    return held
