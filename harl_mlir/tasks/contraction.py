"""The roles of the loops of a contraction-like op: what is vectorised, what is kept in registers.

A contraction-like op computes `C += A * B` over a loop nest: matmuls of all kinds, convolutions,
tensor contractions. What an op is called plays no part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from harl_mlir.tasks.linalg_op import LinalgOp, Operand, loops_of, plain_loop

_MULTIPLY = frozenset({"arith.mulf", "arith.muli"})
_ADD = frozenset({"arith.addf", "arith.addi"})
_FEW = 4
"""Steps of a loop along which vectors would be mostly empty."""
_USES = 32
"""Of each element of an operand, that pay for copying it."""
_WIDEN = frozenset({"arith.extf", "arith.extsi", "arith.extui", "arith.sitofp", "arith.uitofp"})


@dataclass(frozen=True)
class Contraction:
    """Loop numbers by role.

    Attributes:
        vector: the parallel loop along the lanes; only the vector operand and C have it.
        rows: parallel loops absent from the vector operand, outermost first.
        row: the one of them that becomes the rows of the register tile: the innermost of more than
            one step; None where there is none.
        across: whether C is not contiguous along the lanes.
        by_rows: whether each row must be computed by itself: the broadcast operand is strided along
            `row` (a convolution's stride), the lanes lie across C, elements are widened first, no
            loop is contracted plainly, or products and sums are rounded one by one (`exact`).
        batch: parallel loops that both operands have.
        columns: further parallel loops of the vector operand alone.
        inner: the innermost contracted loop; unless `by_rows`, a plain dimension of both operands.
        window: the other reduction loops, outermost first.
        vector_operand: 0 or 1, the operand that has `vector`.
        transposed: whether the vector operand is not contiguous along `vector`, so that it has to be
            copied first (see `with_vectors_last`).
    """

    vector: int
    rows: tuple[int, ...]
    row: int | None
    across: bool
    by_rows: bool
    batch: tuple[int, ...]
    columns: tuple[int, ...]
    inner: int
    window: tuple[int, ...]
    vector_operand: int
    transposed: bool

    @property
    def broadcast_operand(self) -> int:
        """The operand whose elements are broadcast against vectors of the other."""
        return 1 - self.vector_operand


def is_multiply_add(op: LinalgOp) -> bool:
    """Whether the body is `init + a * b`, widening casts of `a` and `b` allowed."""
    if len(op.operands) != 3 or any(operand.is_scalar for operand in op.operands):
        return False
    first = len(op.operands)
    value = {first + i: body for i, body in enumerate(op.body)}

    def source(number: int) -> int:
        while number in value and value[number].name in _WIDEN:
            number = value[number].operands[0]
        return number

    total = value.get(op.yields)
    if total is None or total.name not in _ADD or 2 not in total.operands:
        return False
    product = value.get(next((v for v in total.operands if v != 2), -1))
    if product is None or product.name not in _MULTIPLY:
        return False
    return sorted(source(v) for v in product.operands) == [0, 1]


def is_contraction(op: LinalgOp) -> bool:
    """Whether it multiplies and adds along a plain loop of both operands, and C's last loop is of one alone.

    In which order an operand has its dimensions plays no part.
    """
    if not is_multiply_add(op) or not op.reduction_dims or not op.parallel_dims:
        return False
    long = [d for d in op.result_loops if op.dims[d] > 1]
    return (
        bool(_plainly_contracted(op))
        and bool(long)
        and any(op.dims[d] > 1 for d in op.reduction_dims)
        and not _is_in_both(op, long[-1])
    )


def contraction_of(op: LinalgOp) -> Contraction | None:
    """The first of `ways_of`, or None where the op is not contraction-like."""
    return next(iter(ways_of(op)), None)


def ways_of(op: LinalgOp, *, exact: bool = False) -> tuple[Contraction, ...]:
    """The roles that the loops of `op` may have, at most two ways; none where it is not contraction-like.

    Lanes lie along the contiguous loop of C if they can: in place, else with the vector operand copied.
    Where that loop is part of a window, wants a copy, cannot be, or has few steps beside a window, they may
    also lie across C, along the innermost other loop that can. A copy is made only where several rows
    share it.

    Depthwise convolutions (no plain contracted loop, or the contiguous loop of C is in both
    operands), products of a matrix whose rows are contiguous with a vector, and reductions without a
    parallel loop are no contractions.

    With `exact` every element of C has to be what the loops of `op`, in their order, make of it.
    """
    if not is_contraction(op):
        return ()
    order = op.result_loops
    long = [d for d in order if op.dims[d] > 1]
    along, *others = (_roles(op, order, d, exact) for d in reversed(long))
    across = min((roles for roles in others if roles), key=lambda roles: roles.transposed, default=None)
    in_place = along is not None and not along.transposed
    if along is not None and in_place and is_plain_in(op.operands[along.vector_operand], along.vector):
        # Few filters leave most lanes empty; a copy of what a window shares between many is cheap.
        across = across if across is not None and across.transposed and is_in_window(op, across) else None
    return tuple(roles for roles in (along, across) if roles is not None)


def _roles(op: LinalgOp, order: tuple[int, ...], vector: int, exact: bool) -> Contraction | None:
    """The roles with lanes along `vector`, or None where they cannot lie so."""
    used = [_loops_in(operand) for operand in op.inputs]
    holders = [i for i in (0, 1) if vector in used[i]]
    if len(holders) != 1:
        return None
    holder = holders[0]
    vectors, broadcast = op.operands[holder], op.operands[1 - holder]
    both = used[0] & used[1]
    rows = tuple(d for d in order if d in used[1 - holder] and d not in both)
    row = next((d for d in reversed(rows) if op.dims[d] > 1), None)
    transposed = stride_along(vectors, vector) != 1
    across = stride_along(op.init, vector) != 1
    plain = [d for d in _plainly_contracted(op) if op.dims[d] > 1]
    if (transposed or across) and row is None:
        return None
    if transposed and not is_plain_in(vectors, vector) and not _shares(op, order, vectors, vector):
        return None
    widened = any(operand.element != op.init.element for operand in op.inputs)
    by_rows = row is not None and (across or widened or not plain or step_along(broadcast, row) != 1)
    # The outer product of vectors is made of fused multiply-adds.
    by_rows = by_rows or exact
    if not by_rows and not plain:
        return None
    # Rows computed one by one leave the order free: the broadcast operand is read front to back.
    reductions = op.reduction_dims
    if by_rows and not exact:
        reductions = tuple(sorted(reductions, key=lambda d: -abs(stride_along(broadcast, d))))
    inner = next(d for d in reversed(reductions) if op.dims[d] > 1) if by_rows else plain[-1]
    return Contraction(
        vector=vector,
        rows=rows,
        row=row,
        across=across,
        by_rows=by_rows,
        batch=tuple(d for d in order if d in both),
        columns=tuple(d for d in order if d in used[holder] and d not in both and d != vector),
        inner=inner,
        window=tuple(d for d in reductions if d != inner),
        vector_operand=holder,
        transposed=transposed,
    )


def is_in_window(op: LinalgOp, roles: Contraction) -> bool:
    """Whether the lanes lie along a window of the vector operand: their loop moves in it with another."""
    return not is_plain_in(op.operands[roles.vector_operand], roles.vector)


def _shares(op: LinalgOp, order: tuple[int, ...], operand: Operand, vector: int) -> bool:
    """Whether C has few elements in a row and many for each of an operand in which `vector` moves by one."""
    rows = [row for row in operand.map if row[vector]]
    if len(rows) != 1 or rows[0][vector] != 1 or math.prod(op.dims) < _USES * math.prod(operand.shape):
        return False
    return next(op.dims[d] for d in reversed(order) if op.dims[d] > 1) <= _FEW


def copied_along(op: LinalgOp) -> int:
    """A contracted loop that is a plain dimension of both operands, the longest."""
    return max(_plainly_contracted(op), key=lambda d: op.dims[d])


def copy_order(op: LinalgOp, roles: Contraction) -> tuple[int, ...]:
    """The dimensions of the vector operand in the order of its copy: as it is read, lanes last."""
    rows = op.operands[roles.vector_operand].map
    contracted = [*roles.window, roles.inner]

    def place(dimension: int) -> tuple[int, int]:
        loops = loops_of(rows[dimension])
        if roles.vector in loops:
            return 2, 0
        if loops and loops[-1] in contracted:
            return 1, contracted.index(loops[-1])
        return 0, dimension

    return tuple(sorted(range(len(rows)), key=place))


def with_vectors_last(op: LinalgOp, roles: Contraction) -> tuple[LinalgOp, Contraction]:
    """The op that is left to schedule, and its roles.

    Where the vector operand has to be copied, that is the op on the copy, without loops of one step
    (folded on the way); else it is `op` itself.
    """
    if not roles.transposed:
        return op, roles
    operands = list(op.operands)
    vectors = operands[roles.vector_operand]
    dimensions = copy_order(op, roles)
    operands[roles.vector_operand] = replace(
        vectors,
        shape=tuple(vectors.shape[d] for d in dimensions),
        map=tuple(vectors.map[d] for d in dimensions),
    )
    kept = [d for d, extent in enumerate(op.dims) if extent > 1]
    number = {d: i for i, d in enumerate(kept)}

    def renumbered(loops: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(number[d] for d in loops if d in number)

    left = replace(
        op,
        dims=tuple(op.dims[d] for d in kept),
        iterators=tuple(op.iterators[d] for d in kept),
        operands=tuple(_with_loops(operand, kept) for operand in operands),
    )
    return left, replace(
        roles,
        vector=number[roles.vector],
        rows=renumbered(roles.rows),
        row=None if roles.row is None else number[roles.row],
        batch=renumbered(roles.batch),
        columns=renumbered(roles.columns),
        inner=number[roles.inner],
        window=renumbered(roles.window),
        transposed=False,
    )


def _with_loops(operand: Operand, kept: list[int]) -> Operand:
    """The operand seen from loops `kept` alone, without dimensions of one element that none moves in."""
    rows = [tuple(row[d] for d in [*kept, len(row) - 1]) for row in operand.map]
    dimensions = [i for i, row in enumerate(rows) if operand.shape[i] > 1 or any(row)]
    return replace(
        operand,
        shape=tuple(operand.shape[i] for i in dimensions),
        map=tuple(rows[i] for i in dimensions),
    )


def stride_along(operand: Operand, loop: int) -> int:
    """How many elements of `operand` (row-major) one step of `loop` moves."""
    stride, total = 1, 0
    for size, row in zip(reversed(operand.shape), reversed(operand.map), strict=True):
        total += row[loop] * stride
        stride *= size
    return total


def step_along(operand: Operand, loop: int) -> int:
    """The largest coefficient of `loop` in the operand's map: 0 if absent, 2 for a stride of two."""
    return max((abs(row[loop]) for row in operand.map), default=0)


def _plainly_contracted(op: LinalgOp) -> list[int]:
    return [d for d in op.reduction_dims if all(is_plain_in(operand, d) for operand in op.inputs)]


def is_plain_in(operand: Operand, loop: int) -> bool:
    """Whether the loop is one dimension of the operand and enters no other."""
    rows = [row for row in operand.map if row[loop]]
    return len(rows) == 1 and plain_loop(rows[0]) == loop


def _is_in_both(op: LinalgOp, loop: int) -> bool:
    return all(step_along(operand, loop) for operand in op.inputs)


def _loops_in(operand: Operand) -> set[int]:
    return {loop for row in operand.map for loop in loops_of(row)}
