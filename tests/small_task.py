"""A task and an environment for tests that measure nothing."""

from __future__ import annotations

from harl_mlir.records.record import Environment
from harl_mlir.tasks.linalg_op import BodyOp, LinalgOp, Operand
from harl_mlir.tasks.task import Member, Source, Task, TensorType

HERE = Environment("a processor", ("fma",), 1, "20261001", 1)


def matmul_task(key: str = "matmul", weight: int = 1) -> Task:
    """C += A B of 8x8x4, whose kernel is never compiled."""
    shapes = ((8, 4), (4, 8), (8, 8))
    maps = (((1, 0, 0, 0), (0, 0, 1, 0)), ((0, 0, 1, 0), (0, 1, 0, 0)), ((1, 0, 0, 0), (0, 1, 0, 0)))
    op = LinalgOp(
        name="linalg.matmul",
        dims=(8, 8, 4),
        iterators=("parallel", "parallel", "reduction"),
        operands=tuple(Operand(s, "f32", a) for s, a in zip(shapes, maps, strict=True)),
        body=(BodyOp("arith.mulf", (0, 1), "f32"), BodyOp("arith.addf", (2, 3), "f32")),
        yields=4,
    )
    return Task(
        key=key,
        kernel="module {}",
        arguments=tuple(TensorType(s, "f32") for s in shapes),
        members=(Member(op, tuple(Source("argument", i) for i in range(3))),),
        anchor=0,
        results=(0,),
        weight=weight,
        function="f",
        place="k.mlir:1:1",
    )
