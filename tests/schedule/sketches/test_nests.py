"""The loop nests of tasks of several ops: what search sees of rows, chains, dot products and producers."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import BF16_DOTS, I8_DOTS
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.search.nest_columns import COLUMNS
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.loop_nests import Nests
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from tests.schedule.sketches import chain_kernels, row_kernels
from tests.schedule.sketches.legality import drawn, processor_with
from tests.schedule.sketches.test_dots import FIXED as DOTS
from tests.schedule.sketches.test_producers import product

_PROCESSOR = replace(processor_with(64), features=(BF16_DOTS, I8_DOTS))

_KERNELS = {
    "softmax": row_kernels.softmax((2, 12), 128),
    "softmax of long rows": row_kernels.softmax((6,), 65536),
    "log-sum-exp": row_kernels.log_sum_exp((9,), 40000),
    "layer norm": row_kernels.layer_norm((3, 5), 131),
    "attention": chain_kernels.attention((3, 32, 48, 16, 16)),
    "attention, its result turned": chain_kernels.attention((2, 48, 33, 8, 24), late=True, result="qbv"),
    "product and softmax": chain_kernels.product_and_rows(32, 64, 24, norm=False),
    **{f"dots {number}": text for number, text in enumerate(DOTS)},
    "producers": product(48, 64, 32, 2, 1),
}


def _nests(space: Space, candidates: list[Candidate]) -> Nests:
    assert space.nests is not None
    return space.nests({d.name: np.array([c[d.name] for c in candidates]) for d in space.decisions})


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("name", _KERNELS)
def test_nests_cover_the_loops_of_the_anchor(pool: Pool, name: str, threads: int) -> None:
    (task,) = pool.analyse(_KERNELS[name], "kernel.mlir").tasks
    spaces = sketches_for(task, _PROCESSOR, threads=threads)
    assert spaces
    for space in spaces:
        candidates = [space.default(), *(space.sample(random.Random(n)) for n in range(40))]
        nest = _nests(space, candidates)
        assert nest.statement.dims == task.anchor_op.dims
        covered, each = np.ones((len(nest.statement.dims), nest.count)), np.arange(nest.count)
        for s, loops in enumerate(nest.loops):
            covered[loops, each] *= nest.ratios[s]
        assert np.allclose(covered * nest.tiles[:, -1], np.array(task.anchor_op.dims)[:, None])
        alone = _nests(space, candidates[-1:])
        assert (alone.tiles[:, -1, 0] == nest.tiles[:, -1, -1]).all()
        assert alone.executions[-1, 0] == nest.executions[-1, -1]
        assert ((alone.packed[:, 0] < 0) == (nest.packed[:, -1] < 0)).all()


@pytest.mark.parametrize("name", _KERNELS)
def test_every_decision_but_facts_is_seen_of_some_candidate(pool: Pool, name: str) -> None:
    (task,) = pool.analyse(_KERNELS[name], "kernel.mlir").tasks
    space = sketches_for(task, _PROCESSOR)[0]
    lattice, features = Lattice(space), SpaceFeatures(task, space)
    states = lattice.rows(lattice.draw(np.random.default_rng(0), 60))
    rows = features.nest_rows(states)
    assert np.isfinite(rows).all()
    assert len(np.unique(rows, axis=0)) > len(np.unique(states, axis=0)) // 4


def _columns(task: Task, space: Space, candidates: list[Candidate]) -> dict[str, NDArray[np.float32]]:
    lattice = Lattice(space)
    states = [lattice.state(candidate) for candidate in candidates]
    rows = SpaceFeatures(task, space).nest_rows(lattice.rows([s for s in states if s is not None]))
    return {name: rows[:, n] for n, name in enumerate(COLUMNS)}


def test_a_chunk_is_a_loop_along_the_row(pool: Pool) -> None:
    (task,) = pool.analyse(_KERNELS["softmax of long rows"], "kernel.mlir").tasks
    (space,) = sketches_for(task, _PROCESSOR)
    default = space.default().assignment
    chunks = [space.candidate({**default, "chunk": chunk, "width": 64}) for chunk in (0, 1024, 4096)]
    nest = _nests(space, chunks)
    assert nest.trips[1].tolist() == [1, 64, 16]
    assert nest.trips[2].tolist() == [1024, 16, 64]
    # What a chunk touches is in the first cache, the row is not.
    assert _columns(task, space, chunks)["fits_l1"][1] > 0


def test_a_group_of_dot_products_stands_in_the_body(pool: Pool) -> None:
    (task,) = pool.analyse(DOTS[0], "kernel.mlir").tasks
    space = sketches_for(task, _PROCESSOR)[0]
    assert space.sketch == "dots"
    candidate = space.candidate({**space.default().assignment, "rows": 8, "vector": 32, "unroll": 2})
    nest = _nests(space, [candidate])
    assert nest.loops[:, 0].tolist() == [1, 2, 0, 2]
    assert nest.trips[:, 0].tolist() == [2, 1, 3, 32]
    assert nest.unroll.tolist() == [4]
    parts = {access.part: number for number, access in enumerate(nest.statement.accesses)}
    assert nest.packed[parts["vector"], 0] == 1
    assert nest.packed[parts["broadcast"], 0] == -1


def test_blocks_of_a_chain_are_loops_around_its_largest_part(pool: Pool) -> None:
    (task,) = pool.analyse(_KERNELS["attention"], "kernel.mlir").tasks
    (space,) = sketches_for(task, _PROCESSOR)
    default = space.default().assignment
    blocks = [space.candidate({**default, "block": block}) for block in (0, 16)]
    nest = _nests(space, blocks)
    assert nest.trips[:2].tolist() == [[1, 3], [1, 2]]
    assert (nest.executions[-1] == nest.executions[-1][0]).all()


def test_where_producers_and_epilogues_are_computed_is_seen(pool: Pool) -> None:
    (task,) = pool.analyse(_KERNELS["producers"], "kernel.mlir").tasks
    space = next(s for s in sketches_for(task, _PROCESSOR) if "epilogue" in s.default().assignment)
    default = {**space.default().assignment, "producer0": "before", "producer1": "before", "epilogue": "tile"}
    before = space.candidate(default)
    others = [space.candidate({**default, name: word}) for name, word in _OTHERS]
    legal = [candidate for candidate in others if space.is_legal(candidate)]
    assert len(legal) > 1
    seen = _columns(task, space, [before, *legal])
    nest = _nests(space, [before, *legal])
    passed, again = np.asarray(nest.passed), np.asarray(nest.again)
    assert passed[0] == (48 * 32 + 64 * 32) * 4
    assert again[0] == 0
    for number, candidate in enumerate(legal, 1):
        if candidate["epilogue"] == "block":
            assert passed[number] == passed[0] + 48 * 64 * 4
            assert seen["copied"][number] > seen["copied"][0]
        else:
            assert passed[number] < passed[0]
            assert again[number] > 0
            assert seen["cycles_tile"][number] > seen["cycles_tile"][0]


_OTHERS = (("producer0", "inside"), ("producer1", "inside"), ("epilogue", "block"))


def test_a_contraction_alone_passes_nothing_again(pool: Pool) -> None:
    (task,) = pool.analyse(product(48, 64, 32, 0, 0, epilogue=False), "kernel.mlir").tasks
    for space in sketches_for(task, _PROCESSOR):
        nest = _nests(space, [space.default(), *drawn(space, 20, 0)])
        assert not np.any(nest.passed)
        assert not np.any(nest.again)
