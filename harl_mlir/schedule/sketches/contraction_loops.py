"""Inside a contraction's tiles: the contracted loops, vectors, accumulators in registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.schedule.builder import FOLD_UNIT_DIMS, REDUCTIONS_TO_CONTRACTS
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches.contraction_nest import Kernel, Piece

_STEP = "harl.step"
_LOWER_PADS = ("vector.lower_masked_transfers", "linalg.pad_vectorization")


@dataclass(frozen=True)
class Contracted:
    """The contracted loops of a piece, outermost first, and the loop over its single rows, if any."""

    loops: list[Handle]
    rows: Handle | None = None
    row_count: int = 0


def tile_contracted(kernel: Kernel, piece: Piece) -> Contracted:
    """Tile the contracted loops by one, but for the innermost where it becomes an outer product.

    Rows that are computed one by one are tiled by one too, inside of all others, and unrolled later.
    """
    b, roles = kernel.builder, kernel.roles
    target = kernel.contraction(piece)
    dims = [*roles.window, *([roles.inner] if roles.by_rows else [])]
    loops: list[Handle] = []
    for dim in dims:
        if dim in piece.dims and piece.extents[dim] > 1:
            target, made = b.tile(target, [int(d == dim) for d in piece.dims])
            loops += made
    if roles.by_rows and roles.row in piece.dims and piece.extents[roles.row] > 1:
        _, (rows,) = b.tile(target, [int(d == roles.row) for d in piece.dims])
        return Contracted(loops, rows, piece.extents[roles.row])
    return Contracted(loops)


def tile_steps(kernel: Kernel) -> Handle:
    """Tile the innermost contracted loop by one.

    Returns the innermost loops of all pieces. Folding has lost the tags again; what is left is known by
    its iterators.
    """
    b, nest = kernel.builder, kernel.nest
    b.patterns(nest, FOLD_UNIT_DIMS)
    b.cse(nest)
    inner = []
    for parallel in (2, 1, 0):
        op = b.with_iterators(nest, (*(["parallel"] * parallel), "reduction"))
        if parallel == 2 and _lhs_comes_second(kernel):
            op = b.interchange(op, [1, 0, 2])
        op, made = b.tile(op, [*([0] * parallel), 1])
        b.tag(op, _STEP)
        inner += made
    return b.merge(*inner)


def vectorize(kernel: Kernel) -> None:
    """Vectorise everything in the nest."""
    b, nest = kernel.builder, kernel.nest
    b.vectorize(b.tagged(nest, _STEP))
    for parallel in (2, 1, 0):
        b.vectorize(b.with_iterators(nest, ["parallel"] * parallel))


def _lhs_comes_second(kernel: Kernel) -> bool:
    """Whether operand 0 has the second of the two loops of the tile: outer products want the first."""
    row, vector = kernel.roles.row, kernel.roles.vector
    if row is None:
        return False
    first = vector if kernel.roles.vector_operand == 0 else row
    return first != min(row, vector)


def keep_in_registers(kernel: Kernel, inner: Handle, contracted: Sequence[Contracted], unroll: int) -> None:
    """Hoist the accumulators out of the contracted loops and unroll the innermost."""
    b, nest = kernel.builder, kernel.nest
    b.patterns(nest, REDUCTIONS_TO_CONTRACTS)
    b.patterns(nest, _LOWER_PADS)
    b.tidy(nest)
    if kernel.roles.by_rows:
        inner = b.merge(*(each.loops.pop() for each in contracted))
        for each in contracted:
            if each.rows is not None:
                b.unroll(each.rows, each.row_count)
        b.tidy(nest)
    for loop in (inner, *(loop for each in contracted for loop in reversed(each.loops))):
        b.licm(loop)
        b.hoist_accumulators(loop)
    if unroll > 1:
        b.unroll(inner, unroll)
    b.tidy(nest)
    # A padded C tile is read and written outside the loops now: make that transfers out of bounds.
    # One application rewrites one user of a pad.
    b.patterns(nest, ("linalg.pad_vectorization",))
    b.patterns(nest, ("linalg.pad_vectorization",))
    b.tidy(nest)
