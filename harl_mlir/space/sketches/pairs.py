"""Matmuls of bf16 into f32 by dot products of pairs, which processors with AVX512-BF16 have.

Steps of the contracted loop go two at a time. For each panel of `vector` columns B is copied once, pairs of
rows interleaved; a register tile of `rows` x `vector` accumulators runs over blocks of `depth` pairs, between
which it lies in memory. See `harl_mlir.schedule.sketches.pairs` for the script.
"""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import BF16_DOTS, Processor
from harl_mlir.space.decision import Decision, Value, number
from harl_mlir.space.sketches.nest import divisors
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import is_multiply_add
from harl_mlir.tasks.task import Task

NAME = "pairs"
VERSION = 1

LANES = 16
_REGISTERS = 32
_MOST_ROWS = 14
_VECTORS = (16, 32, 64)
_MOST_UNROLLED = 4


def spaces(task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> tuple[Space, ...]:
    """The choices for a plain matmul with its fill; none where sums are to be rounded in order."""
    if BF16_DOTS not in processor.features or processor.vector_bytes != 64 or accuracy == "strict":
        return ()
    if not applies_to(task):
        return ()
    rows, columns, steps = task.anchor_op.dims
    pairs = steps // 2
    heights = tuple(h for h in divisors(rows, _MOST_ROWS) if h > 1)
    vectors = tuple(v for v in _VECTORS if columns % v == 0)
    depths = tuple(d for d in divisors(pairs, pairs) if d % _MOST_UNROLLED == 0 or d == pairs)
    unrolls = tuple(u for u in (1, 2, 4) if all(d % u == 0 for d in depths))
    if not heights:
        return ()
    vector = max(vectors)
    height = max(h for h in heights if _fits(h, vector))
    decisions = (
        Decision("rows", heights, height, meaning="rows of the register tile"),
        Decision("vector", vectors, vector, meaning="columns of the register tile"),
        Decision("depth", depths, _near(depths, 256), meaning="pairs of contracted steps in a block"),
        Decision(
            "unroll", unrolls, unrolls[min(1, len(unrolls) - 1)], meaning="pairs a step of the inner loop"
        ),
    )

    def legal(values: Mapping[str, Value]) -> bool:
        return _fits(number(values["rows"]), number(values["vector"]))

    return (Space(NAME, VERSION, decisions, legal),)


def applies_to(task: Task) -> bool:
    """Whether the task is `C[m, n] += A[m, k] * B[k, n]` of bf16 into f32, alone but for its fill.

    Pairs divide the contracted loop, and registers the columns. A tile of one row would be no matmul.
    """
    op = task.anchor_op
    return (
        task.anchor == len(task.members) - 1
        and task.results == (task.anchor,)
        and op.iterators == ("parallel", "parallel", "reduction")
        and is_multiply_add(op)
        and [operand.element for operand in op.operands] == ["bf16", "bf16", "f32"]
        and [operand.map for operand in op.operands] == [_plain(0, 2), _plain(2, 1), _plain(0, 1)]
        and op.dims[1] % LANES == 0
        and op.dims[2] % 2 == 0
        and min(op.dims) > 2
    )


def _plain(*loops: int) -> tuple[tuple[int, ...], ...]:
    return tuple((*(int(d == loop) for d in range(3)), 0) for loop in loops)


def _fits(rows: int, vector: int) -> bool:
    """Whether accumulators, the vectors of one step and a broadcast pair are in registers."""
    registers = vector // LANES
    return rows * registers + registers + 1 <= _REGISTERS


def _near(values: tuple[int, ...], wanted: int) -> int:
    return max((v for v in values if v <= wanted), default=values[0])
