"""The loop nests of contractions: for many candidates what `contraction_tiles.tile_loops` makes of one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from harl_mlir.processor import Processor
from harl_mlir.space.loop_nests import Columns, Ints, Nests, NestsOf, nests
from harl_mlir.space.sketches.contraction_epilogue import EPILOGUE, ON_BLOCKS
from harl_mlir.space.sketches.statements import place_of, statement_of
from harl_mlir.tasks.contraction import Contraction, copy_order
from harl_mlir.tasks.linalg_op import Operand
from harl_mlir.tasks.task import Task, element_bytes

_Loops = list[Ints | int]


def contracted(task: Task, roles: Contraction, lanes: int, processor: Processor) -> NestsOf:
    """Nests around register tiles of rows and vectors; `roles` are those of the task's op as it came."""
    op = task.anchor_op
    reads = list(op.operands)
    turned = 0
    if roles.transposed:
        vectors = reads[roles.vector_operand]
        reads[roles.vector_operand] = _transposed(vectors, copy_order(op, roles))
        turned = math.prod(vectors.shape) * element_bytes(vectors.element)
    roles = _without_unit_loops(roles, op.dims)
    statement = replace(
        statement_of(task, roles.vector, lanes, processor, reads),
        by_rows=roles.by_rows,
        turned_bytes=turned,
    )
    places = {
        "pack": place_of(task, roles.vector_operand),
        "copy": place_of(task, roles.broadcast_operand),
    }

    result_bytes = math.prod(op.init.shape) * element_bytes(op.init.element)

    def of(columns: Columns) -> Nests:
        outer, steps = _blocks(op.dims, roles, columns)
        around, tiles = _tile_loops(roles, columns)
        within = [*roles.window, roles.inner]
        made = nests(
            statement,
            [*outer, *around, *within],
            [*steps, *tiles, *[1] * len(within)],
            columns["unroll"],
            len(columns["order"]),
        )
        if EPILOGUE in columns:
            made = replace(made, passed=np.where(columns[EPILOGUE] == ON_BLOCKS, result_bytes, 0.0))
        innermost = len(outer) + len(around)
        for name, place in places.items():
            if place is not None:
                panels = columns[name] == "panels"
                made.packed[place] = np.where(panels, innermost, -1)
                made.packed[place, columns[name] == "block"] = len(outer)
                made.hoisted[place] = panels
        return made

    return of


def _transposed(operand: Operand, order: tuple[int, ...]) -> Operand:
    return replace(
        operand,
        shape=tuple(operand.shape[d] for d in order),
        map=tuple(operand.map[d] for d in order),
    )


def _without_unit_loops(roles: Contraction, dims: tuple[int, ...]) -> Contraction:
    def longer(loops: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(d for d in loops if dims[d] > 1)

    return replace(
        roles,
        rows=longer(roles.rows),
        batch=longer(roles.batch),
        columns=longer(roles.columns),
        window=longer(roles.window),
    )


def _blocks(dims: tuple[int, ...], roles: Contraction, columns: Columns) -> tuple[list[int], _Loops]:
    """The loops around blocks, outermost first; all of a loop in one step where it has none."""
    block, width, depth = columns["block"], columns["width"], columns["depth"]
    blocked = (block > 0) | (width > 0) | (depth > 0)
    loops: list[int] = [*roles.batch]
    steps: _Loops = [np.where(blocked, 1, dims[d]) for d in roles.batch]
    if roles.row is not None:
        loops.append(roles.row)
        steps.append(np.where(block > 0, block, dims[roles.row]))
    loops.append(roles.vector)
    steps.append(np.where(width > 0, width, dims[roles.vector]))
    for d in roles.window:
        loops.append(d)
        steps.append(np.where(depth > 0, 1, dims[d]))
    loops.append(roles.inner)
    steps.append(np.where(depth > 0, depth, dims[roles.inner]))
    return loops, steps


def _tile_loops(roles: Contraction, columns: Columns) -> tuple[_Loops, _Loops]:
    """The loops over register tiles in the candidates' orders, and how far they step."""
    groups = {
        "B": roles.batch,
        "C": roles.columns,
        "O": tuple(d for d in roles.rows if d != roles.row),
        "R": () if roles.row is None else (roles.row,),
        "V": (roles.vector,),
    }
    words, which = np.unique(columns["order"], return_inverse=True)
    table = np.array([[d for letter in str(word) for d in groups[letter]] for word in words])
    loops: Ints = table[which].T
    steps = np.where(loops == roles.vector, columns["vector"], 1)
    if roles.row is not None:
        steps = np.where(loops == roles.row, columns["rows"], steps)
    return [*loops], [*steps]
