"""What the elementwise, reduction and window sketches share: the loops of a task seen from its result.

All members of such a task have results of one shape; "dimension" means a dimension of the result,
"loop" a loop of one member.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from harl_mlir.processor import Processor
from harl_mlir.tasks.linalg_op import LinalgOp, Operand, loops_of
from harl_mlir.tasks.task import Task, element_bytes

REGISTERS_PER_VALUE = 16
"""Vectors longer than this many registers make compile times explode."""

_ELEMENTS = frozenset({"f16", "bf16", "f32", "f64", "i8", "i16", "i32", "i64"})
_MASK = "i1"


def is_plain_task_of_any_rank(task: Task, *, masks: bool = False) -> bool:
    """Whether the sketches' emitters can handle the task's types and structure.

    Only the root's result leaves it; no tensor of i1, unless `masks` may be: vectors of i1 are packed
    bits in memory, but tensors are not; no offset and no reversal in a map.
    """
    elements = _ELEMENTS | {_MASK} if masks else _ELEMENTS
    return task.results == (len(task.members) - 1,) and all(
        operand.element in elements and all(row[-1] == 0 and min(row) >= 0 for row in operand.map)
        for member in task.members
        for operand in member.op.operands
    )


def is_plain_task(task: Task, *, masks: bool = False) -> bool:
    """As `is_plain_task_of_any_rank`, and the result has a dimension."""
    return bool(task.root.op.init.map) and is_plain_task_of_any_rank(task, masks=masks)


def has_masks(task: Task) -> bool:
    """Whether the task has a tensor of i1. Its ops are vectorised by the lowering, not by the schedule."""
    return any(operand.element == _MASK for member in task.members for operand in member.op.operands)


def loop_order(op: LinalgOp) -> tuple[int, ...]:
    """The loops in the order that schedules give them: as the result's dimensions, then the reductions."""
    return (*op.result_loops, *op.reduction_dims)


def is_copy(op: LinalgOp) -> bool:
    """Whether the body yields an operand as it is: a copy, transpose, broadcast or fill."""
    return not op.body


def has_plain_maps(op: LinalgOp) -> bool:
    """Whether every row of every map is one loop or none."""
    return all(sum(row) <= 1 for operand in op.operands for row in operand.map)


def reads_vectors(operand: Operand, wide: Iterable[int]) -> bool:
    """Whether a tile that is wider than one in loops `wide` alone is read as one dense vector.

    Then every row of the map holds at most one wide loop, once and with coefficient one.
    """
    wide = set(wide)
    seen: set[int] = set()
    for row in operand.map:
        loops = [d for d in wide if row[d]]
        if not loops:
            continue
        if len(loops) > 1 or row[loops[0]] != 1 or loops[0] in seen:
            return False
        seen.add(loops[0])
    return True


def may_be_wide(task: Task, dimensions: Iterable[int]) -> bool:
    """Whether all members can be vectorised along these result dimensions together."""
    chosen = tuple(dimensions)
    for member in task.members:
        wide = {member.op.result_loops[d] for d in chosen}
        if not all(reads_vectors(operand, wide) for operand in member.op.operands):
            return False
    return True


def innermost_loop(op: LinalgOp, operand: Operand) -> int | None:
    """The loop that moves through `operand` one element at a time, loops of one step left out."""
    for size, row in zip(reversed(operand.shape), reversed(operand.map), strict=True):
        loops = [d for d in loops_of(row) if op.dims[d] > 1]
        if loops:
            return loops[-1] if len(loops) == 1 and row[loops[-1]] == 1 else None
        if size > 1:
            return None
    return None


def lanes_of(task: Task, processor: Processor) -> int:
    """Elements of a vector register, counted in the widest type the task computes with."""
    elements = {operand.element for member in task.members for operand in member.op.operands}
    elements |= {body.result for member in task.members for body in member.op.body} - {"i1", "index"}
    return processor.lanes(max(element_bytes(e) for e in elements))


def widths(extent: int, lanes: int) -> tuple[int, ...]:
    """Vector lengths worth offering along `extent`: whole registers, or all of a shorter extent."""
    if extent <= lanes:
        return (extent,)
    found: list[int] = []
    width = lanes
    while width <= min(extent, REGISTERS_PER_VALUE * lanes):
        found.append(width)
        width *= 2
    return tuple(found)


def divisors(extent: int, limit: int) -> tuple[int, ...]:
    """Divisors of `extent` up to `limit`, in order."""
    return tuple(n for n in range(1, min(extent, limit) + 1) if extent % n == 0)


def pieces(extent: int, width: int, tail: int) -> tuple[tuple[int, int], ...]:
    """How a loop is cut: (length, step) for whole widths, whole tails, and what is left in one step."""
    if width == 1:
        return ((extent, 1),)
    found: list[tuple[int, int]] = []
    for step in (width, tail, 1):
        whole = extent // step * step if step > 1 else extent
        if whole:
            found.append((whole, step if step > 1 else whole))
            extent -= whole
    return tuple(found)


def largest(values: Iterable[int], limit: float) -> int:
    """The largest of `values` that is at most `limit`, else the smallest of them."""
    ordered = sorted(values)
    return max((v for v in ordered if v <= limit), default=ordered[0])


def fits_registers(values: Mapping[str, int | str], names: Iterable[str], lanes: int) -> bool:
    """Whether a vector of these decisions' sizes is within `REGISTERS_PER_VALUE`."""
    sizes = [int(values[name]) for name in names]
    return math.prod(sizes) <= max(REGISTERS_PER_VALUE * lanes, *sizes)
