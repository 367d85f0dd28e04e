"""Elementwise tasks: maps, casts, copies, fills, broadcasts, transposes and chains of them.

The decisions are in `MEANINGS`. That all loops become one is offered where every operand is indexed alike;
of a transpose the second dimension is the one along which the operand is contiguous, so that a block of
both is turned round in registers.

Defaults: flattened; two registers wide (with four, the loads of an iteration wait for stores of the one
before wherever operands lie alike within a page, as large allocations do), four where functions are
computed, as the steps of one vector wait for each other; one row; loops as the result lies, or as the
operand and four registers wide where stores go past the caches, which then need no order but are the better
the longer. Long streamed rows are done some at once, one register of each, and not flattened, where all of
them have an operand in common. Sizes that the width does not divide get a second, narrower loop
and a last vector of what is left. A copy of more than the first cache holds, that is not streamed, is a call
of `memcpy`.

A transposed tile is one register wide, at most 16 elements, and as many rows high, or 8 where only that
divides the extent. Where stores go past the caches it is as wide as a line, and loops follow the operand
in strips of two lines of the result: lines of the operand are read one after the other, on as many rows as
the processor follows, and memory takes two neighbouring lines sooner than lines apart. Through the caches
loops follow the operand where the result's rows are but a few lines, and else go in blocks as the result
lies; what the second cache holds goes in no blocks.
"""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.sketches import nest, plain_nests
from harl_mlir.space.sketches.elementwise_roles import (
    STRIP_VECTORS,
    STRIPS,
    Roles,
    extent_along,
    is_plain_copy,
    is_single_copy,
    operand_order,
    roles_of,
)
from harl_mlir.space.sketches.streams import may_stream, rows_together
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task, element_bytes

NAME = "elementwise"
VERSION = 4

MEANINGS = {
    "flatten": "whether all loops become one",
    "width": "elements of the innermost vector",
    "rows": "the vector's extent along a second dimension",
    "order": "whether loops follow the result or the operand as they lie, or that in strips of two vectors",
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
_SHORT_LINES = 8


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
    streams = may_stream(task, roles, processor)
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
        if values["order"] == STRIPS and not _has_strips(task, roles, values):
            return False
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


def _straight(task: Task, roles: Roles, lanes: int, processor: Processor) -> tuple[Decision, ...]:
    flat = ("no", "yes") if roles.flattens else ("no",)
    widths = sorted({w for f in flat for w in _widths(task, None if f == "yes" else roles, lanes)})
    usual = _widths(task, None if roles.flattens else roles, lanes)
    rows = (1,) if roles.second is None else nest.divisors(task.root.op.init.shape[roles.second], _ROWS)
    moved = [d for d in operand_order(task, roles) if task.root.op.init.shape[d] > 1]
    orders = ("result",) if moved == sorted(moved) else ("result", "operand")
    scattered = len(orders) > 1 and may_stream(task, roles, processor)
    functions = any(body.name.startswith("math.") for member in task.members for body in member.op.body)
    registers = _REGISTERS_OF_FUNCTIONS if functions else _DEFAULT_REGISTERS
    registers = _SCATTERED_REGISTERS if scattered else registers
    width = _default_width(usual, registers * lanes, lanes)
    together = 1 if is_single_copy(task) else rows_together(task, roles, rows, processor)
    line = _LINE_BYTES // element_bytes(task.root.op.init.element)
    if together > 1:
        width = nest.largest(_widths(task, roles, lanes), max(lanes, line))
    elif may_stream(task, roles, processor):
        width = max(width, nest.largest(usual, line))
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
    streams = may_stream(task, roles, processor)
    widths = _widths(task, roles, lanes)
    size = element_bytes(task.root.op.init.element)
    width = nest.largest(widths, _LINE_BYTES // size) if streams else widths[0]
    strips = streams and _has_strips(task, roles, {"width": width, "block": 0})
    order, block = _walk(both[0] * size, streams, strips, task.bytes > processor.l2_bytes)
    rows = tuple(sorted({1, *(r for r in _TILE_ROWS if r <= both[1]), min(both[1], _TILE_ROWS[0])}))
    dividing = [r for r in rows if both[1] % r == 0 and r >= _TILE_ROWS[0]]
    usual = min(lanes, _BLOCK)
    return (
        _decision("flatten", ("no",), "no"),
        _decision("width", widths, width),
        _decision("rows", rows, nest.largest(dividing or rows, usual)),
        _decision("order", ("result", "operand", STRIPS), order),
        _decision("tail", (lanes,), lanes),
        _decision("block", blocks, nest.largest(blocks, block)),
    )


def _walk(row_bytes: int, streams: bool, strips: bool, large: bool) -> tuple[str, int]:
    """Order and block of a transpose by default; `row_bytes` are those of a row of the result."""
    if streams:
        return STRIPS if strips else "operand", 0
    if large and row_bytes <= _SHORT_LINES * _LINE_BYTES:
        return "operand", 0
    return "result", _DEFAULT_BLOCK if large else 0


def _has_strips(task: Task, roles: Roles, values: Mapping[str, Value]) -> bool:
    """Whether the result has several strips of two such vectors, in a transpose without blocks.

    Only of a single copy what they leave over is cut off.
    """
    extent, strip = extent_along(task, roles), STRIP_VECTORS * int(values["width"])
    return (
        roles.transposed
        and not values["block"]
        and strip < extent
        and (extent % strip == 0 or is_single_copy(task))
    )


def _decision(name: str, values: tuple[Value, ...], default: Value) -> Decision:
    words = name in ("flatten", "order", "stores", "by")
    return Decision(name, values, default, ordered=not words, meaning=MEANINGS[name])
