"""Row operations: ops over the same rows, of which some reduce each row to a number.

The loops of a row operation are those over rows, then at most one along the row: a softmax is the maxima
of the rows, the exponentials, their sums and the quotients.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harl_mlir.tasks.linalg_op import BodyOp, LinalgOp, Operand, is_leading

_ELEMENTS = frozenset({"f16", "bf16", "f32", "f64", "i8", "i16", "i32", "i64"})


@dataclass(frozen=True)
class Rows:
    """How many rows there are along each dimension, and their length."""

    counts: tuple[int, ...]
    length: int

    def holds(self, op: LinalgOp) -> bool:
        """Whether `op` works on these rows, and its elements are such as vectors hold in memory."""
        return self.fits(op) and all(operand.element in _ELEMENTS for operand in op.operands)

    def fits(self, op: LinalgOp) -> bool:
        """Whether `op` works on these rows: along them, or on one number for each."""
        along = op.dims == (*self.counts, self.length)
        reduces = along and op.reduction_dims == (len(self.counts),)
        if not (reduces or (not op.reduction_dims and (along or op.dims == self.counts))):
            return False
        wanted = len(self.counts) if reduces else len(op.dims)
        return (
            is_leading(op.init, wanted)
            and all(_is_plain(operand) for operand in op.operands)
            and all(_is_place(body, len(self.counts)) for body in op.body if body.name == "linalg.index")
        )

    def is_along(self, op: LinalgOp) -> bool:
        """Whether `op`, one of these, has the loop along the row."""
        return len(op.dims) > len(self.counts)

    def width_of(self, op: LinalgOp) -> int:
        """Dimensions of the result of `op`, one of these."""
        return len(op.init.map)


def rows_of(op: LinalgOp) -> Rows | None:
    """The rows that `op` reduces, or None where it is no reduction of rows."""
    if len(op.dims) < 2 or op.reduction_dims != (len(op.dims) - 1,):
        return None
    rows = Rows(op.dims[:-1], op.dims[-1])
    several = rows.length > 1 and any(count > 1 for count in rows.counts)
    return rows if several and rows.holds(op) else None


def common_rows(ops: Iterable[LinalgOp], least: int = 2) -> Rows | None:
    """The rows that all `ops` work on where they are a row operation of at least so many ops along the row.

    Fills count for nothing.
    """
    ops = tuple(ops)
    rows = next((rows for op in ops if (rows := rows_of(op)) is not None), None)
    if rows is None or not all(rows.holds(op) for op in ops):
        return None
    along = sum(1 for op in ops if rows.is_along(op))
    return rows if along >= least else None


def _is_place(index: BodyOp, loop: int) -> bool:
    """Whether a `linalg.index` is that of the loop along the row: where a row stands among the others is not
    known to the steps of the loop over rows."""
    return ("dim", str(loop)) in index.attributes


def _is_plain(operand: Operand) -> bool:
    """Whether each dimension is a loop of its own, in the order of the loops."""
    seen = -1
    for row in operand.map:
        loops = [d for d, factor in enumerate(row[:-1]) if factor]
        if len(loops) != 1 or row[loops[0]] != 1 or row[-1] != 0 or loops[0] <= seen:
            return False
        seen = loops[0]
    return True
