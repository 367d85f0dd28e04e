"""Accumulating in vectors that lie along the result: shared by outer reductions and window ops.

The reduction loops advance by one, so that the body is elementwise in the vectors and may be
anything.

The decisions are in `MEANINGS`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.loop_nests import NestsOf
from harl_mlir.space.sketches import nest
from harl_mlir.space.sketches.plain_nests import accumulated
from harl_mlir.space.space import Space
from harl_mlir.tasks.linalg_op import loops_of
from harl_mlir.tasks.task import Task, element_bytes

MEANINGS = {
    "width": "elements of a vector along the innermost dimension of the result",
    "rows": "the vector's extent along a second dimension, along which operands may be shared",
    "height": "the vector's extent along a third dimension, where neighbours share elements of a window",
    "order": "what is outside: the result's loops (result; rows: turned) or the reduction's (steps; ahead)",
    "unroll": "steps of the reduction that are unrolled, whole loops from the innermost one out",
    "tail": "elements of the narrower vectors that follow where width does not divide the extent",
    "lanes": "steps of the innermost loop done at once, whose operands lie apart in memory",
    "stores": "whether the result goes through the caches or past them, to memory (streamed)",
}

STREAMED = "streamed"

_MOST_ROWS = 16
_MOST_HEIGHT = 8
_MOST_DEFAULT_HEIGHT = 4
_TILE = 8
_MOST_UNROLL = 8
_MOST_WINDOW = 25
_MOST_LANE_REGISTERS = 4
_LINE_BYTES = 64
_FARTHEST = 4
"""Elements that are farther apart the lowering does not read in vectors."""


@dataclass(frozen=True)
class Roles:
    """Dimensions of the result and loops of the anchor by role.

    Attributes:
        vector: the dimension that vectors lie along; None where the anchor can only be done one
            element at a time (a stride along the contiguous dimension).
        strided: then the dimension whose steps the lowering can do at once; or None.
        second: another dimension that vectors may extend along, or None.
        third: a dimension around it along which they may extend too, if it moves in a window; or None.
        inner: the dimension beside `vector` whose loop may go inside, or None.
        reductions: reduction loops of the anchor with more than one step, outermost first.
    """

    vector: int | None
    strided: int | None
    second: int | None
    third: int | None
    inner: int | None
    reductions: tuple[int, ...]


def roles_of(task: Task) -> Roles | None:
    """The roles, or None where the task is none of this kind."""
    anchor = task.anchor_op
    if not anchor.reduction_dims or not nest.is_plain_task(task) or has_index(task):
        return None
    if any(member.op.reduction_dims for member in task.members if member.op is not anchor):
        return None
    long = [d for d, size in enumerate(task.root.op.init.shape) if size > 1]
    reductions = tuple(d for d in anchor.reduction_dims if anchor.dims[d] > 1)
    if not long or not nest.may_be_wide(task, long[-1:]):
        strided = long[-1] if long and _lies_apart(task, long[-1]) else None
        return Roles(None, strided, None, None, None, reductions)
    vector = long[-1]
    others = [d for d in long[:-1] if nest.may_be_wide(task, (d, vector))]
    second = others[-1] if others else None
    windows = [d for d in others[:-1] if moves_in_window(task, d)]
    third = next((d for d in reversed(windows) if nest.may_be_wide(task, (d, others[-1], vector))), None)
    return Roles(vector, None, second, third, long[-2] if len(long) > 1 else None, reductions)


def may_stream(task: Task, processor: Processor) -> bool:
    """Whether a call goes through more than the last cache holds, for a large result of whole lines."""
    result = task.root.op.init
    row = result.shape[-1] * element_bytes(result.element)
    size = math.prod(result.shape) * element_bytes(result.element)
    return task.bytes > processor.l3_bytes and size > processor.l2_bytes and row % _LINE_BYTES == 0


def moves_in_window(task: Task, dimension: int) -> bool:
    """Whether an input of the anchor moves along a dimension of the result and with another loop at once."""
    loop = task.anchor_op.result_loops[dimension]
    rows = [row for operand in task.anchor_op.inputs for row in operand.map if row[loop]]
    return any(len(loops_of(row)) > 1 for row in rows)


def _lies_apart(task: Task, dimension: int) -> bool:
    """Whether steps along a dimension are one element apart in results, and some in operands."""
    for member in task.members:
        loop = member.op.result_loops[dimension]
        for operand in member.op.operands:
            *outer, last = [row[loop] for row in operand.map] or [0]
            if any(outer) or last > _FARTHEST or (operand is member.op.init and last != 1):
                return False
    return True


def has_index(task: Task) -> bool:
    """Whether a body uses its loops' positions."""
    return any(body.name == "linalg.index" for member in task.members for body in member.op.body)


def unrolling(task: Task, roles: Roles, steps: int) -> tuple[int, ...]:
    """The factor of each reduction loop, innermost first, so that `steps` are unrolled together."""
    factors: list[int] = []
    for loop in reversed(roles.reductions):
        factor = math.gcd(steps, task.anchor_op.dims[loop])
        factors.append(factor)
        steps //= factor
        if factor < task.anchor_op.dims[loop]:
            break
    return tuple(factors)


def _unroll_factors(task: Task, roles: Roles) -> tuple[int, ...]:
    """Part of the innermost loop, or whole loops."""
    dims = [task.anchor_op.dims[loop] for loop in roles.reductions]
    if not dims:
        return (1,)
    factors = set(nest.divisors(dims[-1], _MOST_UNROLL))
    steps = 1
    for extent in reversed(dims):
        steps *= extent
        if steps <= _MOST_WINDOW:
            factors.add(steps)
    return tuple(sorted(factors))


def _nearest(values: Iterable[int], wanted: int) -> int:
    """The value whose ratio to `wanted` is the nearest to one; of two, the smaller."""
    return min(values, key=lambda value: (max(value / wanted, wanted / value), value))


def _decision(name: str, values: tuple[Value, ...], default: Value) -> Decision:
    return Decision(name, values, default, ordered=name not in ("order", "stores"), meaning=MEANINGS[name])


def space(
    task: Task,
    roles: Roles,
    processor: Processor,
    sketch: str,
    version: int,
    *,
    registers: int,
    rows: int,
    unroll: int,
) -> Space:
    """The decisions.

    By default vectors are at most `registers` registers wide and have about `rows` rows, and `unroll`
    steps are unrolled. Where there is a third dimension with a divisor of two to four, vectors extend
    along it instead: `_TILE` registers in all, so that what a window reads comes from the caches once for
    several outputs, in long pieces. Where a call goes through more than the caches hold, vectors of one row
    are as wide as they may be: memory is read in long pieces.
    """
    lanes = nest.lanes_of(task, processor)
    shape = task.root.op.init.shape
    widths = (1,) if roles.vector is None else nest.widths(shape[roles.vector], lanes)
    heights = (1,) if roles.second is None else nest.divisors(shape[roles.second], _MOST_ROWS)
    tall = (1,) if roles.third is None else nest.divisors(shape[roles.third], _MOST_HEIGHT)
    height = nest.largest(tall, _MOST_DEFAULT_HEIGHT)
    streams = roles.vector is not None and may_stream(task, processor)
    if height > 1:
        registers, rows = max(1, _TILE // height), 1
    elif streams and registers > 1:
        registers, rows = nest.REGISTERS_PER_VALUE, 1
    width = nest.largest(widths, registers * lanes)
    allowed = nest.REGISTERS_PER_VALUE * lanes / width / height
    factors = _unroll_factors(task, roles)
    orders = ("result", "rows") if roles.inner is not None else ("result",)

    def legal(values: Mapping[str, Value]) -> bool:
        return nest.fits_registers(values, ("width", "rows", "height"), lanes)

    strided = roles.strided
    apart = () if strided is None else (_lanes_decision(shape[strided], lanes),)
    return Space(
        sketch,
        version,
        (
            _decision("width", widths, width),
            _decision("rows", heights, _nearest([h for h in heights if h <= allowed] or [1], rows)),
            _decision("height", tall, height),
            _decision("order", orders, "result"),
            _decision("unroll", factors, nest.largest(factors, unroll)),
            _decision("tail", (lanes,), lanes),
            *apart,
            *((_decision("stores", ("cached", STREAMED), STREAMED),) if streams else ()),
        ),
        legal,
        _nests(task, roles, lanes, processor),
    )


def _nests(task: Task, roles: Roles, lanes: int, processor: Processor) -> NestsOf:
    """The loops of a candidate."""
    tiled = {"width": roles.vector, "rows": roles.second, "height": roles.third}
    if roles.strided is not None:
        tiled = {"lanes": roles.strided}
    vector = roles.strided if roles.vector is None else roles.vector
    return accumulated(task, tiled, vector, roles.inner, roles.reductions, lanes, processor)


def _lanes_decision(extent: int, lanes: int) -> Decision:
    """By default a register's; all of them where there are fewer."""
    widths = [width for width in nest.widths(extent, lanes) if width <= _MOST_LANE_REGISTERS * lanes]
    return _decision("lanes", (1, *widths), widths[0])
