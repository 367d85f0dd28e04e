"""Tasks of one op, made without MLIR."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.processor import Processor
from harl_mlir.tasks.linalg_op import AffineRow, BodyOp, IteratorKind, LinalgOp, Operand
from harl_mlir.tasks.task import Member, Source, Task, TensorType

PROCESSOR = Processor("made up", ("avx512f",), 64, 32, 32 << 10, 1 << 20, 16 << 20)
"""Sixteen f32 a register."""


def row(loops: int, **coefficients: int) -> AffineRow:
    """A row of a map: `row(3, d0=1, d2=2)` is `d0 + 2 * d2`."""
    return (*(coefficients.get(f"d{i}", 0) for i in range(loops)), 0)


def task_of(
    dims: Sequence[int],
    kinds: str,
    inputs: Sequence[Sequence[AffineRow]],
    output: Sequence[int],
    body: Sequence[BodyOp],
    element: str = "f32",
) -> Task:
    """A task of one op; `kinds` has `p` or `r` for each loop, the body's last op is what is yielded."""
    names: dict[str, IteratorKind] = {"p": "parallel", "r": "reduction"}
    maps = [*inputs, [row(len(dims), **{f"d{loop}": 1}) for loop in output]]
    operands = tuple(
        Operand(
            tuple(1 + sum(c * (n - 1) for c, n in zip(r, dims, strict=False)) for r in rows),
            element,
            tuple(rows),
        )
        for rows in maps
    )
    iterators = tuple(names[kind] for kind in kinds)
    yields = len(operands) + len(body) - 1 if body else 0
    op = LinalgOp("linalg.generic", tuple(dims), iterators, operands, tuple(body), yields)
    sources = tuple(Source("argument", i) for i in range(len(operands)))
    arguments = tuple(TensorType(operand.shape, element) for operand in operands)
    return Task("key", "", arguments, (Member(op, sources),), 0, (0,))


def combine(name: str, *operands: int, element: str = "f32") -> BodyOp:
    """One scalar op."""
    return BodyOp(name, operands, element)
