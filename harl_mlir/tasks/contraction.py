"""The roles of the loops of a contraction-like op: what is vectorised, what is kept in registers.

A contraction-like op computes `C += A * B` over a loop nest: matmuls of all kinds, convolutions,
tensor contractions. What an op is called plays no part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harl_mlir.tasks.linalg_op import LinalgOp, Operand

_MULTIPLY = frozenset({"arith.mulf", "arith.muli"})
_ADD = frozenset({"arith.addf", "arith.addi"})
_WIDEN = frozenset({"arith.extf", "arith.extsi", "arith.extui", "arith.sitofp", "arith.uitofp"})


@dataclass(frozen=True)
class Contraction:
    """Loop numbers by role.

    Attributes:
        vector: the parallel loop that is contiguous in C and absent from the broadcast operand.
        rows: parallel loops absent from the vector operand, outermost first.
        row: the one of them that becomes the rows of the register tile: the innermost of more than
            one step; None where there is none.
        strided: whether the broadcast operand is strided along `row` (a convolution's stride).
        batch: parallel loops that both operands have.
        columns: further parallel loops of the vector operand alone.
        inner: the innermost contracted loop that is a plain dimension of both operands.
        window: the other reduction loops.
        vector_operand: 0 or 1, the operand that has `vector`.
    """

    vector: int
    rows: tuple[int, ...]
    row: int | None
    strided: bool
    batch: tuple[int, ...]
    columns: tuple[int, ...]
    inner: int
    window: tuple[int, ...]
    vector_operand: int

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


def contraction_of(op: LinalgOp) -> Contraction | None:
    """The roles of the loops of `op`, or None where it is not contraction-like.

    Depthwise convolutions (no plain contracted loop, or the contiguous loop of C is in both
    operands) and reductions without a parallel loop are none.
    """
    if not is_multiply_add(op) or not op.reduction_dims or not op.parallel_dims:
        return None
    order = _projected_permutation(op.init)
    if order is None or set(order) != set(op.parallel_dims):
        return None
    used = [set(_loops_of(operand)) for operand in op.inputs]
    vector = order[-1]
    holders = [i for i in (0, 1) if vector in used[i]]
    if len(holders) != 1:
        return None
    holder = holders[0]
    other = 1 - holder
    plain = [set(_plain_dims(operand)) for operand in op.inputs]
    contracted = [d for d in op.reduction_dims if d in plain[0] and d in plain[1]]
    if not contracted:
        return None
    both = used[0] & used[1]
    rows = tuple(d for d in order if d in used[other] and d not in both)
    row = next((d for d in reversed(rows) if op.dims[d] > 1), None)
    return Contraction(
        vector=vector,
        rows=rows,
        row=row,
        strided=row is not None and step_along(op.operands[other], row) != 1,
        batch=tuple(d for d in order if d in both),
        columns=tuple(d for d in order if d in used[holder] and d not in both and d != vector),
        inner=contracted[-1],
        window=tuple(d for d in op.reduction_dims if d != contracted[-1]),
        vector_operand=holder,
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


def _loops_of(operand: Operand) -> Iterator[int]:
    for row in operand.map:
        yield from (d for d, coefficient in enumerate(row[:-1]) if coefficient)


def _plain_dims(operand: Operand) -> Iterator[int]:
    for row in operand.map:
        loops = [d for d, coefficient in enumerate(row[:-1]) if coefficient]
        if len(loops) == 1 and row[loops[0]] == 1 and row[-1] == 0:
            yield loops[0]


def _projected_permutation(operand: Operand) -> tuple[int, ...] | None:
    order = tuple(_plain_dims(operand))
    if len(order) != len(operand.map) or len(set(order)) != len(order):
        return None
    return order
