"""Reductions of which the loops are outside those over vectors: sums over the rows of a matrix.

Vectors that lie along the result keep their sums in registers while they go down the rows, so that memory is
read in pieces as short as the vectors are wide. Where rows are longer than that, the loops of the reduction
go outside: a row is read from its beginning to its end, or a few rows side by side, and added to sums that
stay in a cache. Each sum still has its terms in the source's order.

`order` then is `steps`, and `unroll` is the number of rows side by side; or `ahead`, where also what comes
next in each row is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from harl_mlir.processor import Processor
from harl_mlir.space.decision import Value, number
from harl_mlir.space.loop_nests import Columns, Ints, Nests, NestsOf, nests
from harl_mlir.space.sketches import nest
from harl_mlir.space.sketches.accumulation import Roles
from harl_mlir.space.sketches.statements import statement_of
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task, element_bytes

STEPS, AHEAD = "steps", "ahead"
ORDERS = (STEPS, AHEAD)
"""Values of `order` for which the loops of the reduction are outside."""

# Of Zen 4, whose last cache gives short pieces as fast as long ones up to here.
_PART_OF_L3 = 4
_LONG_ROW_BYTES = 4096
# Shorter rows have all their sums in registers.
_REGISTERS = 8
_SINGLE_REGISTERS = 4
_ROWS_TOGETHER = 8
# Two rows side by side are read more slowly than one.
_LEAST_TOGETHER = 4


@dataclass(frozen=True)
class OuterSteps:
    """The result's dimensions by where their loops are.

    Attributes:
        around: those outside the reduction's loops, of one step each.
        inside: those inside them, the one along vectors last.
        along: the innermost loop of the reduction.
    """

    around: tuple[int, ...]
    inside: tuple[int, ...]
    along: int


def outer_steps(task: Task, roles: Roles) -> OuterSteps | None:
    """The roles, or None where vectors do not lie along a part of a longer row."""
    op = task.anchor_op
    inputs = [operand for operand in op.inputs if operand.map]
    if roles.vector is None or roles.third is not None or not roles.reductions or not inputs:
        return None
    if not nest.has_plain_maps(op):
        return None
    largest = max(inputs, key=lambda operand: math.prod(operand.shape))
    places = {row.index(1): place for place, row in enumerate(largest.map) if any(row)}
    if any(loop not in places for loop in (*roles.reductions, op.result_loops[roles.vector])):
        return None
    first = min(places[loop] for loop in roles.reductions)
    long = [d for d, size in enumerate(task.root.op.init.shape) if size > 1]
    around = tuple(d for d in long if places.get(op.result_loops[d], -1) < first)
    inside = tuple(d for d in long if d not in around)
    if not inside or inside[-1] != roles.vector:
        return None
    return OuterSteps(around, inside, roles.reductions[-1])


def with_outer_steps(space: Space, task: Task, roles: Roles, processor: Processor) -> Space:
    """The space with these orders, where sums of a row are more than a few registers and stay in a cache.

    They are the default where more is read than a quarter of the last cache holds. Then rows are read four to
    eight side by side, one register wide, and asked for ahead; those shorter than a page, and where their
    number has no such divisor, one by one, four registers wide.
    """
    steps, shape = outer_steps(task, roles), task.root.op.init.shape
    lanes = nest.lanes_of(task, processor)
    if steps is None:
        return space
    elements = math.prod(shape[d] for d in steps.inside)
    row = elements * element_bytes(task.anchor_op.init.element)
    if elements <= _REGISTERS * lanes or row > processor.l2_bytes // 2:
        return space
    extent, rows = shape[steps.inside[-1]], task.anchor_op.dims[steps.along]

    def fits(values: Mapping[str, Value]) -> bool:
        # A loop of one whole step, once peeled, is none.
        whole, rest = divmod(extent, number(values["width"]))
        return (
            rest <= (number(values["tail"]) if whole > 1 else 0)
            and elements > number(values["width"])
            and rows % number(values["unroll"]) == 0
            and values["rows"] == values["height"] == 1
            and values.get("stores", "cached") == "cached"
        )

    def legal(values: Mapping[str, Value]) -> bool:
        return space.constraint(values) and (values["order"] not in ORDERS or fits(values))

    orders = (replace(d, values=(*d.values, *ORDERS)) if d.name == "order" else d for d in space.decisions)
    nests_of = _nests(space, task, steps, lanes, processor)
    made = replace(space, decisions=tuple(orders), constraint=legal, nests=nests_of)
    if task.bytes <= processor.l3_bytes // _PART_OF_L3:
        return made
    defaults = _defaults(made, row, rows, lanes)
    if not legal(defaults):
        return made
    return replace(made, decisions=tuple(replace(d, default=defaults[d.name]) for d in made.decisions))


def _defaults(space: Space, row: int, rows: int, lanes: int) -> dict[str, Value]:
    """Values of the decisions for rows of `row` bytes, of which `rows` follow one another."""
    together = nest.largest([n for n in _values(space, "unroll") if rows % n == 0], _ROWS_TOGETHER)
    single = row < _LONG_ROW_BYTES or together < _LEAST_TOGETHER
    wanted: dict[str, Value] = {
        "order": STEPS if single else AHEAD,
        "width": nest.largest(_values(space, "width"), (_SINGLE_REGISTERS if single else 1) * lanes),
        "unroll": 1 if single else together,
        "rows": 1,
        "height": 1,
        "stores": "cached",
    }
    return {d.name: wanted.get(d.name, d.default) for d in space.decisions}


def _values(space: Space, name: str) -> list[int]:
    return [number(value) for d in space.decisions if d.name == name for value in d.values]


def _nests(space: Space, task: Task, steps: OuterSteps, lanes: int, processor: Processor) -> NestsOf:
    """The space's own loops, or the reduction's outside: its innermost a second time inside all others."""
    op, own = task.anchor_op, space.nests
    vector = op.result_loops[steps.inside[-1]]
    statement = statement_of(task, vector, lanes, processor)
    reductions = [d for d in op.reduction_dims if op.dims[d] > 1]
    around, inside = ([op.result_loops[d] for d in dims] for dims in (steps.around, steps.inside))

    def of(columns: Columns) -> Nests:
        count = len(columns["order"])
        loops: list[Ints | int] = [*around, *reductions, *inside, steps.along]
        sizes: list[Ints | int] = [1] * len(loops)
        sizes[len(around) + len(reductions) - 1] = columns["unroll"]
        sizes[-2] = columns["width"]
        outside = nests(statement, loops, sizes, columns["unroll"], count)
        assert own is not None
        given = own(columns)
        return _chosen(np.isin(columns["order"], ORDERS), outside, given)

    return of


def _chosen(first: np.ndarray, one: Nests, other: Nests) -> Nests:
    """Of two ways to go, the loops of the one or the other; loops that one lacks do nothing there."""
    slots = max(len(one.loops), len(other.loops))

    def joined(a: Ints, b: Ints, filler: int) -> Ints:
        rows = [np.pad(each, ((0, slots - len(each)), (0, 0)), constant_values=filler) for each in (a, b)]
        return np.where(first, *rows)

    extents = max(other.statement.dims)
    return replace(
        other,
        loops=joined(one.loops, other.loops, 0),
        steps=joined(one.steps, other.steps, extents),
        unroll=np.where(first, one.unroll, other.unroll),
    )
