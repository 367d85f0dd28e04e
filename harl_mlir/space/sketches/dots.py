"""Contractions by dot products: pairs of bf16 into f32, groups of four i8 into i32.

Matmuls of all kinds and convolutions. Steps of a contracted loop go two or four at a time, which the
processor multiplies and adds in one instruction (`harl_mlir.codegen.dot_products`). The operand read as
vectors is copied once, the numbers of a group side by side: a panel at a time, or as a whole where it is read
through a window. A register tile of `rows` x `vector` accumulators runs over the contracted loops. See
`harl_mlir.schedule.sketches.dots` for the script.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import DOT_PRODUCTS, Processor
from harl_mlir.space.decision import Decision, Value, number
from harl_mlir.space.sketches.dots_nests import dotted
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import (
    Contraction,
    copied_along,
    is_in_window,
    is_multiply_add,
    stride_along,
    ways_of,
)
from harl_mlir.tasks.linalg_op import LinalgOp, loops_of
from harl_mlir.tasks.task import Task

NAME = "dots"
VERSION = 2

LANES = 16
_REGISTERS = 32
_ROWS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 20, 24, 28)
_VECTORS = (16, 32, 64)
_MOST_ROWS = 14
_LEAST_DEPTH = 16
_MOST_DEPTHS = 8
_UNROLLS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Dots:
    """What dot products are made of: the loops' roles, and the contracted loop whose steps go in groups.

    Attributes:
        row: the loop that becomes the rows of the register tile.
        group: steps of a dot product.
        along: the loop they are of.
        panels: whether the vector operand is copied a panel at a time.
    """

    roles: Contraction
    row: int
    group: int
    along: int
    panels: bool


def spaces(task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> tuple[Space, ...]:
    """The choices for a contraction; none where the processor lacks the instruction.

    None for bf16 where sums are to be rounded in order.
    """
    dots = dots_of(task)
    if dots is None or processor.vector_bytes != 64:
        return ()
    op = task.anchor_op
    element = op.inputs[0].element
    if DOT_PRODUCTS[element].feature not in processor.features:
        return ()
    if accuracy == "strict" and element == "bf16":
        return ()
    extent, rows = op.dims[dots.roles.vector], op.dims[dots.row]
    groups = -(-op.dims[dots.along] // dots.group)
    vectors = vector_for(extent)
    heights = tuple(sorted({min(r, rows) for r in _ROWS if 2 * r <= rows or r >= rows}))
    depths = (0, *[d for d in _divisors(groups) if _LEAST_DEPTH <= d < groups][-_MOST_DEPTHS:])
    if task.anchor < len(task.members) - 1 or dots.roles.window:
        depths = (0,)
    unrolls = tuple(u for u in _UNROLLS if u <= groups)

    def legal(values: Mapping[str, Value]) -> bool:
        rows, vector = number(values["rows"]), number(values["vector"])
        return _fits(rows, vector) and (not values["depth"] or extent % vector == 0)

    vector = max(vectors)
    height = _default_rows(heights, rows, vector)
    decisions = (
        Decision("rows", heights, height, meaning="rows of the register tile"),
        Decision("vector", vectors, vector, meaning="columns of the register tile"),
        Decision("depth", depths, 0, meaning="groups of contracted steps in a block; 0: all"),
        Decision("unroll", unrolls, 1, meaning="groups a step of the loop"),
    )
    nests = dotted(task, dots.roles, dots.row, dots.along, dots.group, dots.panels, LANES, processor)
    return (Space(NAME, VERSION, decisions, legal, nests),)


def dots_of(task: Task) -> Dots | None:
    """How a task is made of dot products; None where it is not.

    It is one contraction with its fill before and elementwise ops after it. The lanes lie along the
    contiguous loop of the result.
    """
    op = task.anchor_op
    if not is_multiply_add(op) or not _is_alone(task) or not _is_narrow(op):
        return None
    roles = next(iter(ways_of(op)), None)
    if roles is None or roles.across or roles.row is None:
        return None
    vectors = op.operands[roles.vector_operand]
    if is_in_window(op, roles) and stride_along(vectors, roles.vector) != 1:
        return None
    along = copied_along(op)
    if op.dims[along] < 2 or op.dims[roles.vector] < 2:
        return None
    if any(len(loops_of(row)) > 1 and row[along] for operand in op.inputs for row in operand.map):
        return None
    if task.anchor == 0 and len(task.members) > 1 and _steps(op, along) == 1:
        # Without a loop that carries sums, rows would be read from where others were written: a copy of the
        # argument, which MLIR leaves out, as it takes a row as wide as a tile is high for all of the tile.
        return None
    panels = all(len(loops_of(row)) <= 1 for row in vectors.map)
    return Dots(roles, roles.row, DOT_PRODUCTS[op.inputs[0].element].group, along, panels)


def vector_for(extent: int) -> tuple[int, ...]:
    """Columns of a register tile for a loop of `extent` steps; none leaves a single column over."""
    found = tuple(v for v in _VECTORS if v <= extent and extent % v != 1)
    if extent < LANES:
        return (extent,)
    return found or (next(v for v in range(max(_VECTORS), LANES, -1) if extent % v != 1),)


def _is_alone(task: Task) -> bool:
    """Whether there is at most a fill before the contraction, and elementwise ops after it."""
    op, after = task.anchor_op, task.members[task.anchor + 1 :]
    return (
        task.anchor <= 1
        and all(member.op.is_fill for member in task.members[: task.anchor])
        and task.results == (len(task.members) - 1,)
        and all(
            not member.op.reduction_dims and member.op.init.shape == op.init.shape and _is_plain(member.op)
            for member in after
        )
    )


def _is_plain(op: LinalgOp) -> bool:
    return op.result_loops == tuple(range(len(op.dims)))


def _is_narrow(op: LinalgOp) -> bool:
    """Whether pairs of bf16 are added to f32, or groups of i8, not all unsigned, to i32."""
    element = op.inputs[0].element
    kinds = [operand.element for operand in op.operands]
    unsigned = sum(body.name == "arith.extui" for body in op.body)
    casts = {body.name for body in op.body} & {"arith.sitofp", "arith.uitofp"}
    dot = DOT_PRODUCTS.get(element)
    return dot is not None and kinds == [element, element, dot.total] and unsigned < 2 and not casts


def _steps(op: LinalgOp, along: int) -> int:
    """How many dot products add to a sum."""
    group = DOT_PRODUCTS[op.inputs[0].element].group
    return math.prod(-(-op.dims[d] // group) if d == along else op.dims[d] for d in op.reduction_dims)


def _default_rows(heights: tuple[int, ...], extent: int, vector: int) -> int:
    """The most that fit and divide, unless that is fewer than fit by more than one."""
    fitting = [h for h in heights if h <= _MOST_ROWS and _fits(h, vector)]
    even = [h for h in fitting if extent % h == 0]
    return max(even) if even and max(even) >= max(fitting) - 1 else max(fitting)


def _fits(rows: int, vector: int) -> bool:
    """Whether accumulators, the vectors of one step and a broadcast group are in registers."""
    registers = -(-vector // LANES)
    return rows * registers + registers + 1 <= _REGISTERS


def _divisors(value: int) -> list[int]:
    return [d for d in range(1, value + 1) if value % d == 0]
