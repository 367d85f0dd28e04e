"""The nests of contractions as arrays against the loops that the schedule makes."""

from __future__ import annotations

import random

import numpy as np
import pytest

from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.sketches.contraction import ways
from harl_mlir.space.sketches.contraction_tiles import Blocks, tile_loops
from harl_mlir.tasks.contraction import copy_order
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR, combine, row, task_of
from tests.space.sketches.test_contraction_space import conv, matmul


def _batched(batch: int) -> Task:
    return task_of(
        (batch, 40, 70, 33),
        "pppr",
        [[row(4, d0=1), row(4, d1=1), row(4, d3=1)], [row(4, d0=1), row(4, d3=1), row(4, d2=1)]],
        [0, 1, 2],
        [combine("arith.mulf", 0, 1), combine("arith.addf", 2, 3)],
    )


_TASKS = {
    "matmul": matmul(96, 80, 50),
    "transposed": matmul(64, 96, 33, transposed=True),
    "batched": _batched(6),
    "batch of one": _batched(1),
    "conv": conv(16, 48, 30, 1, first=False),
    "conv first": conv(8, 20, 29, 1, first=True),
    "strided": conv(16, 48, 30, 2, first=False),
}


@pytest.mark.parametrize("task", _TASKS.values(), ids=_TASKS)
def test_nests_have_the_loops_of_the_schedule(task: Task) -> None:
    rng = random.Random(0)
    for space in sketches_for(task, PROCESSOR):
        candidates = [space.default(), *(space.sample(rng) for _ in range(60))]
        assert space.nests is not None
        nest = space.nests({d.name: np.array([c[d.name] for c in candidates]) for d in space.decisions})
        roles = ways(task, exact=False)[str(space.default()["along"])]
        within = 1 + sum(task.anchor_op.dims[d] > 1 for d in roles.window)
        for number, candidate in enumerate(candidates):
            at = candidate.number
            blocks = Blocks(at("block"), at("width"), at("depth"))
            order = candidate.word("order")
            loops = tile_loops(task.anchor_op, roles, at("rows"), at("vector"), order, blocks)
            made = [
                (int(nest.loops[s, number]), int(nest.tiles[nest.loops[s, number], s + 1, number]))
                for s in range(len(nest.loops) - within)
                if nest.trips[s, number] > 1
            ]
            assert made == [(loop.dim, loop.size) for loop in loops if -(-loop.extent // loop.size) > 1]
            assert nest.unroll[number] == at("unroll")


@pytest.mark.parametrize("task", _TASKS.values(), ids=_TASKS)
def test_copies_are_made_where_the_schedule_makes_them(task: Task) -> None:
    rng = random.Random(0)
    for space in sketches_for(task, PROCESSOR):
        candidates = [space.sample(rng) for _ in range(60)]
        assert space.nests is not None
        nest = space.nests({d.name: np.array([c[d.name] for c in candidates]) for d in space.decisions})
        roles = ways(task, exact=False)[str(space.default()["along"])]
        parts = [access.part for access in nest.statement.accesses]
        assert sorted(parts) == ["broadcast", "result", "vector"]
        for number, candidate in enumerate(candidates):
            packed = dict(zip(parts, nest.packed[:, number].tolist(), strict=True))
            assert (packed["vector"] >= 0) == (candidate["pack"] != "none")
            assert (packed["broadcast"] >= 0) == (candidate["copy"] != "none")
            assert packed["result"] < 0
            # Panels are made within all loops over tiles, blocks around all of them.
            within = len(nest.loops) - 1 - len(roles.window)
            panel, block = nest.tiles[:, within, number], nest.tiles[:, packed["broadcast"], number]
            if candidate["pack"] == "panels":
                assert packed["vector"] == within
                assert panel[roles.vector] == nest.tiles[roles.vector, -1, number]
                assert panel[roles.inner] == (candidate.number("depth") or task.anchor_op.dims[roles.inner])
            if candidate["copy"] == "block" and roles.row is not None:
                assert block[roles.row] == (candidate.number("block") or task.anchor_op.dims[roles.row])


def test_a_transposed_operand_is_read_along_the_lanes() -> None:
    task = _TASKS["transposed"]
    roles = ways(task, exact=False)["result"]
    assert roles.transposed
    space = sketches_for(task, PROCESSOR)[0]
    assert space.nests is not None
    nest = space.nests({name: np.array([value]) for name, value in space.default().values})
    vectors = nest.statement.accesses[1]
    assert vectors.stride(roles.vector) == 1
    assert vectors.shape == tuple(
        task.anchor_op.operands[1].shape[d] for d in copy_order(task.anchor_op, roles)
    )
    assert nest.statement.turned_bytes == 96 * 33 * 4
