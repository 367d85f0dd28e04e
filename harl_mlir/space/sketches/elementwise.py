"""Elementwise tasks: maps, casts, copies, fills, broadcasts, transposes and chains of them.

The decisions are in `MEANINGS`. That all loops become one is offered where every operand is indexed alike;
of a transpose the second dimension is the one along which the operand is contiguous, so that a block of
both is turned round in registers.

Defaults: flattened; two registers wide (with four, the loads of an iteration wait for stores of the one
before wherever operands lie alike within a page, as large allocations do), four where functions are
computed, as the steps of one vector wait for each other; one row; loops as the result lies, or as the
operand and four registers wide where stores go past the caches, which then need no order but are the better
the longer. Streamed rows of a page and more are done four at once, one register of each, and not flattened:
memory is read faster in several places. Sizes that the width does not divide get a second, narrower loop
and a last vector of what is left. A copy of more than the first cache holds, that is not streamed, is a call
of `memcpy`.

A transposed tile is one register wide, at most 16 elements, and as many rows high, or 8 where only that
divides the extent. Where stores go past the caches it is as wide as a line, and loops follow the operand:
its lines are read one after the other, and nothing is gained by writing neighbours soon. They go in large
blocks where each of the result's rows has pages of its own. Through the caches loops follow the operand
where the result's rows are but a few lines, and else go in blocks as the result lies; what the second cache
holds goes in no blocks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.sketches import nest, plain_nests
from harl_mlir.space.sketches.streams import may_stream, rows_together
from harl_mlir.space.space import Space
from harl_mlir.tasks.linalg_op import LinalgOp, Operand, loops_of
from harl_mlir.tasks.task import Task, element_bytes

NAME = "elementwise"
VERSION = 3

MEANINGS = {
    "flatten": "whether all loops become one",
    "width": "elements of the innermost vector",
    "rows": "the vector's extent along a second dimension",
    "order": "whether loops follow the dimensions of the result or of the operand, as it lies in memory",
    "tail": "elements of the narrower vectors that follow where width does not divide the extent",
    "stores": "whether the result goes through the caches or past them, to memory (streamed)",
    "by": "whether a copy goes in vectors or by a call of memcpy for each piece that lies together",
    "block": "elements along both dimensions of the blocks that a transpose goes through; 0: there are none",
}

_DEFAULT_REGISTERS = 2
_REGISTERS_OF_FUNCTIONS = 4
_SCATTERED_REGISTERS = 4
_ROWS = 8
_BLOCK = 16
_TILE_ROWS = (8, 16, 32)
STREAMED = "streamed"
CALL = "call"
_LINE_BYTES = 64
_BLOCKS = (0, 32, 64, 128, 256)
_DEFAULT_BLOCK = 64
_STREAMED_BLOCK = 256
_PAGE_BYTES = 4096
_SHORT_LINES = 8


@dataclass(frozen=True)
class Roles:
    """Dimensions of the result by role.

    Attributes:
        vector: the dimension that vectors lie along.
        second: another dimension that vectors may extend along, or None.
        transposed: whether an operand is contiguous along `second` rather than `vector`.
        flattens: whether all loops may become one.
    """

    vector: int
    second: int | None
    transposed: bool
    flattens: bool


def roles_of(task: Task) -> Roles | None:
    """The roles of the dimensions, or None where the task is not one this sketch schedules."""
    if any(member.op.reduction_dims for member in task.members) or not nest.is_plain_task(task):
        return None
    if all(nest.is_copy(member.op) for member in task.members) and not is_single_copy(task):
        return None
    shape = task.root.op.init.shape
    long = [d for d, size in enumerate(shape) if size > 1]
    if not long or not nest.may_be_wide(task, long[-1:]):
        return None
    vector = long[-1]
    for member in task.members:
        loops = member.op.result_loops
        for operand in member.op.operands:
            loop = nest.innermost_loop(member.op, operand)
            if loop is None or loop == loops[vector]:
                continue
            second = loops.index(loop)
            if nest.may_be_wide(task, (second, vector)):
                return Roles(vector, second, True, False)
    others = [d for d in long[:-1] if nest.may_be_wide(task, (d, vector))]
    return Roles(vector, others[-1] if others else None, False, _flattens(task))


def is_single_copy(task: Task) -> bool:
    """Whether the task is one copy, transpose, broadcast or fill.

    Such an op must be kept from canonicalization, which turns it into copies between buffers, and a
    map that is more than plain loops would need it.
    """
    op = task.root.op
    return len(task.members) == 1 and nest.is_copy(op) and nest.has_plain_maps(op)


def is_plain_copy(task: Task) -> bool:
    """Whether the task is one copy of a tensor as it lies."""
    op = task.root.op
    identity = tuple((*(int(d == i) for d in range(len(op.dims))), 0) for i in range(len(op.dims)))
    return is_single_copy(task) and op.yields == 0 and all(operand.map == identity for operand in op.operands)


def extent_along(task: Task, roles: Roles | None = None) -> int:
    """Elements along the vector dimension; with no roles, of all loops made one."""
    shape = task.root.op.init.shape
    return math.prod(shape) if roles is None else shape[roles.vector]


def spaces(task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> tuple[Space, ...]:
    """The choices for a chain of elementwise ops."""
    roles = roles_of(task)
    if roles is None:
        return ()
    lanes = nest.lanes_of(task, processor)
    decisions = (
        _transposed(task, roles, lanes, processor)
        if roles.transposed
        else _straight(task, roles, lanes, processor)
    )
    streams = may_stream(task, processor)
    if streams:
        decisions = (*decisions, _decision("stores", ("cached", STREAMED), STREAMED))
    if is_plain_copy(task):
        called = not streams and task.bytes > processor.l1_bytes
        decisions = (*decisions, _decision("by", ("vectors", CALL), CALL if called else "vectors"))
    usual = {d.name: d.default for d in decisions}

    def legal(values: Mapping[str, Value]) -> bool:
        if values.get("by") == CALL:
            rest = {**usual, "by": CALL, **({"stores": "cached"} if streams else {})}
            return all(values[name] == value for name, value in rest.items())
        if values["flatten"] == "yes":
            return values["rows"] == 1 and values["width"] in nest.widths(extent_along(task), lanes)
        block = int(values.get("block", 0))
        if block and (block % int(values["width"]) or block % int(values["rows"])):
            return False
        return values["width"] in _widths(task, roles, lanes) and nest.fits_registers(
            values, ("width", "rows"), lanes
        )

    moved = operand_order(task, roles) if roles.transposed else None
    nests = plain_nests.elementwise(
        task, roles.vector, roles.second, moved=moved, lanes=lanes, processor=processor
    )
    return (Space(NAME, VERSION, decisions, legal, nests),)


def operand_order(task: Task, roles: Roles) -> tuple[int, ...]:
    """The dimensions of the result as a copy's operand has them, or one that is contiguous along `second`.

    Without such an operand that has them all: in their own order, or with `second` as the last.
    """
    rank = len(task.root.op.result_loops)
    if not roles.transposed:
        found = _as_read(task.root.op, task.root.op.inputs[0]) if is_single_copy(task) else ()
        return found if len(found) == rank else tuple(range(rank))
    for member in task.members:
        for operand in member.op.operands:
            found = _as_read(member.op, operand)
            if sorted(found) == list(range(rank)) and _innermost(member.op, operand) == roles.second:
                return found
    return (*(d for d in range(rank) if d != roles.second), *([] if roles.second is None else [roles.second]))


def _as_read(op: LinalgOp, operand: Operand) -> tuple[int, ...]:
    """The dimensions of the result in the order in which an operand has them."""
    return tuple(op.result_loops.index(loop) for row in operand.map for loop in loops_of(row))


def _innermost(op: LinalgOp, operand: Operand) -> int | None:
    """The dimension of the result along which an operand is contiguous, or None."""
    loop = nest.innermost_loop(op, operand)
    return None if loop is None else op.result_loops.index(loop)


def _straight(task: Task, roles: Roles, lanes: int, processor: Processor) -> tuple[Decision, ...]:
    flat = ("no", "yes") if roles.flattens else ("no",)
    widths = sorted({w for f in flat for w in _widths(task, None if f == "yes" else roles, lanes)})
    usual = _widths(task, None if roles.flattens else roles, lanes)
    rows = (1,) if roles.second is None else nest.divisors(task.root.op.init.shape[roles.second], _ROWS)
    moved = [d for d in operand_order(task, roles) if task.root.op.init.shape[d] > 1]
    orders = ("result",) if moved == sorted(moved) else ("result", "operand")
    scattered = len(orders) > 1 and may_stream(task, processor)
    functions = any(body.name.startswith("math.") for member in task.members for body in member.op.body)
    registers = _REGISTERS_OF_FUNCTIONS if functions else _DEFAULT_REGISTERS
    registers = _SCATTERED_REGISTERS if scattered else registers
    width = _default_width(usual, registers * lanes, lanes)
    together = 1 if is_single_copy(task) else rows_together(task, rows, processor)
    if together > 1:
        line = _LINE_BYTES // element_bytes(task.root.op.init.element)
        width = nest.largest(_widths(task, roles, lanes), max(lanes, line))
    return (
        _decision("flatten", flat, flat[0] if together > 1 else flat[-1]),
        _decision("width", tuple(widths), width),
        _decision("rows", rows, together),
        _decision("order", orders, "operand" if scattered else "result"),
        _decision("tail", (lanes,), lanes),
    )


def _widths(task: Task, roles: Roles | None, lanes: int) -> tuple[int, ...]:
    """As `nest.widths`, of a transpose from the width of a block in registers on.

    A copy's rows of some registers and a part of one may be one vector each: in pieces it would not be
    computed where it is inserted.
    """
    extent = extent_along(task, roles)
    if roles is not None and roles.transposed:
        return nest.widths(extent, min(lanes, _BLOCK))
    found = nest.widths(extent, lanes)
    whole = (
        roles is not None
        and is_single_copy(task)
        and extent % lanes != 0
        and lanes < extent <= nest.REGISTERS_PER_VALUE * lanes
    )
    return tuple(sorted({*found, extent})) if whole else found


def _default_width(usual: tuple[int, ...], most: int, lanes: int) -> int:
    whole = [width for width in usual if width > lanes and width % lanes]
    return whole[0] if whole else nest.largest(usual, most)


def _transposed(task: Task, roles: Roles, lanes: int, processor: Processor) -> tuple[Decision, ...]:
    shape = task.root.op.init.shape
    assert roles.second is not None
    both = (shape[roles.vector], shape[roles.second])
    whole = not is_single_copy(task)
    blocks = tuple(
        block
        for block in _BLOCKS
        if block < max(both)
        and not (whole and any(extent % max(block, 1) for extent in both if extent > block))
    )
    streams = may_stream(task, processor)
    widths = _widths(task, roles, lanes)
    size = element_bytes(task.root.op.init.element)
    order, block = _walk(both[0] * size, streams, task.bytes > processor.l2_bytes)
    rows = tuple(sorted({1, *(r for r in _TILE_ROWS if r <= both[1]), min(both[1], _TILE_ROWS[0])}))
    dividing = [r for r in rows if both[1] % r == 0 and r >= _TILE_ROWS[0]]
    usual = min(lanes, _BLOCK)
    return (
        _decision("flatten", ("no",), "no"),
        _decision("width", widths, nest.largest(widths, _LINE_BYTES // size) if streams else widths[0]),
        _decision("rows", rows, nest.largest(dividing or rows, usual)),
        _decision("order", ("result", "operand"), order),
        _decision("tail", (lanes,), lanes),
        _decision("block", blocks, nest.largest(blocks, block)),
    )


def _walk(row_bytes: int, streams: bool, large: bool) -> tuple[str, int]:
    """Order and block of a transpose by default; `row_bytes` are those of a row of the result."""
    if streams:
        return "operand", _STREAMED_BLOCK if row_bytes >= _PAGE_BYTES else 0
    if large and row_bytes <= _SHORT_LINES * _LINE_BYTES:
        return "operand", 0
    return "result", _DEFAULT_BLOCK if large else 0


def _decision(name: str, values: tuple[Value, ...], default: Value) -> Decision:
    words = name in ("flatten", "order", "stores", "by")
    return Decision(name, values, default, ordered=not words, meaning=MEANINGS[name])


def _flattens(task: Task) -> bool:
    op = task.root.op
    rank = len(op.dims)
    identity = tuple((*(int(d == i) for d in range(rank)), 0) for i in range(rank))
    # A copy is inserted into something larger, where a reshape of it could not be computed.
    return (
        len(task.members) == 1
        and not (nest.is_copy(op) and any(not operand.is_scalar for operand in op.operands[:-1]))
        and sum(size > 1 for size in op.dims) > 1
        and not any(body.name == "linalg.index" for body in op.body)
        and all(operand.is_scalar or operand.map == identity for operand in op.operands)
    )
