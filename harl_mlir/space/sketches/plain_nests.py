"""The loop nests of the elementwise, reduction and window sketches.

They follow the scripts in `harl_mlir.schedule.sketches`: loops over tiles of the result, in its order or
with one moved inside, then the loops of the reduction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harl_mlir.processor import Processor
from harl_mlir.space.loop_nests import Columns, Ints, Nests, NestsOf, nests
from harl_mlir.space.sketches.elementwise_roles import STRIP_VECTORS, STRIPS
from harl_mlir.space.sketches.statements import statement_of
from harl_mlir.tasks.task import Task


def accumulated(
    task: Task,
    steps: dict[str, int | None],
    vector: int | None,
    moved: int | None,
    reductions: Sequence[int],
    lanes: int,
    processor: Processor,
) -> NestsOf:
    """Nests whose accumulators are tiles of the result.

    `steps` has the dimension of the result that each decision tiles, `vector` the one along the lanes;
    `moved` is inside the others where `order` is "rows".
    """
    loops = task.anchor_op.result_loops
    along = None if vector is None else loops[vector]
    statement = statement_of(task, along, lanes, processor)

    def of(columns: Columns) -> Nests:
        tiles: list[Ints | int] = [1] * len(loops)
        for name, dimension in steps.items():
            if dimension is not None:
                tiles[dimension] = columns[name]
        outer, tiles = _moved(loops, tiles, moved, columns["order"] == "rows")
        count = len(columns["order"])
        return nests(
            statement,
            [*outer, *reductions],
            [*tiles, *[1] * len(reductions)],
            columns["unroll"],
            count,
        )

    return of


def partial_results(
    task: Task, along: int, rows: int | None, reductions: Sequence[int], lanes: int, processor: Processor
) -> NestsOf:
    """Nests that keep partial results along the reduction loop `along`; `rows` is a result's dimension."""
    anchor = task.anchor_op
    loops = anchor.result_loops
    statement = statement_of(task, along, lanes, processor)

    def of(columns: Columns) -> Nests:
        tiles: list[Ints | int] = [columns["rows"] if d == rows else 1 for d in range(len(loops))]
        tiles += [columns["width"] if loop == along else 1 for loop in reductions]
        return nests(statement, [*loops, *reductions], tiles, 1, len(columns["width"]))

    return of


def elementwise(
    task: Task,
    vector: int,
    second: int | None,
    *,
    moved: Sequence[int] | None,
    lanes: int,
    processor: Processor,
) -> NestsOf:
    """Nests without a reduction; `vector` and `second` are dimensions of the result.

    `moved` has the dimensions in the order of an operand that is transposed, or is None. All loops made one
    are shown as steps over several whole inner dimensions. Blocks of a transpose are loops over both
    dimensions around the others; a strip is a loop around, with that over its vectors inside the others.
    """
    anchor = task.anchor_op
    loops, shape = anchor.result_loops, task.root.op.init.shape
    statement = statement_of(task, loops[vector], lanes, processor)
    order = [d for d in range(len(shape)) if d != vector] + [vector]

    def of(columns: Columns) -> Nests:
        flat = columns["flatten"] == "yes"
        left: Ints = np.where(flat, columns["width"], 1)
        steps: list[Ints | int] = [1] * len(shape)
        for d in reversed(range(len(shape))):
            of_flat = np.clip(left, 1, shape[d])
            left = left // np.maximum(of_flat, 1)
            own = columns["width"] if d == vector else columns["rows"] if d == second else 1
            steps[d] = np.where(flat, of_flat, own)
        ordered: list[Ints | int] = [steps[d] for d in order]
        turned, strips = columns["order"] == "operand", columns["order"] == STRIPS
        places = None if moved is None else [order.index(d) for d in moved]
        inside = None if moved is None else [order.index(d) for d in moved if d != vector] + [len(order) - 1]
        outer, ordered = _reordered([loops[d] for d in order], ordered, [(places, turned), (inside, strips)])
        if "block" in columns and second is not None:
            block, both = columns["block"], (second, vector)
            own = np.where(strips, STRIP_VECTORS * columns["width"], block)
            sizes: list[Ints | int] = [
                np.where(extent > 0, extent, shape[d]) for d, extent in zip(both, (block, own), strict=True)
            ]
            around, sizes = _moved([loops[d] for d in both], sizes, 0, turned)
            outer, ordered = [*around, *outer], [*sizes, *ordered]
        return nests(statement, outer, ordered, 1, len(flat))

    return of


def _moved(
    loops: Sequence[int], steps: list[Ints | int], place: int | None, chosen: np.ndarray
) -> tuple[list[Ints | int], list[Ints | int]]:
    """Loops and steps with the one at `place` moved inside all others where `chosen`."""
    order = None if place is None else [i for i in range(len(loops)) if i != place] + [place]
    return _reordered(loops, steps, [(order, chosen)])


def _reordered(
    loops: Sequence[int], steps: list[Ints | int], orders: Sequence[tuple[Sequence[int] | None, np.ndarray]]
) -> tuple[list[Ints | int], list[Ints | int]]:
    """Loops and steps in other orders, each where it is chosen."""
    made: list[Ints | int] = list(loops)
    sizes = list(steps)
    for order, chosen in orders:
        if order is not None and chosen.any():
            made = [np.where(chosen, loops[o], made[i]) for i, o in enumerate(order)]
            sizes = [np.where(chosen, steps[o], sizes[i]) for i, o in enumerate(order)]
    return made, sizes
