"""Loop nests as arrays, against nests that are walked through."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.search.lattice import Lattice
from harl_mlir.space.loop_nests import LINE_BYTES, Access, Nests, Statement, nests
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR, row
from tests.space.sketches.test_contraction_space import conv, matmul
from tests.space.sketches.test_spaces import TASKS

_SOME = {
    **{name: task for name, (task, _) in TASKS.items()},
    "matmul": matmul(96, 80, 50),
    "matmul transposed": matmul(64, 96, 33, transposed=True),
    "conv": conv(16, 48, 30, 1, first=False),
    "conv first": conv(8, 20, 29, 1, first=True),
    "conv strided": conv(16, 48, 30, 2, first=False),
}


@st.composite
def _nests(draw: st.DrawFn) -> tuple[Nests, Access]:
    """A nest around a strided, dilated or plain operand of three loops and two dimensions."""
    dims = tuple(draw(st.lists(st.integers(1, 7), min_size=3, max_size=3)))
    single = row(3, d0=draw(st.integers(1, 3)))
    double = row(3, d1=draw(st.integers(1, 4)), d2=1)
    rows = draw(st.permutations([single, double]))
    shape = tuple(1 + sum(c * (n - 1) for c, n in zip(r, dims, strict=False)) for r in rows)
    access = Access(shape, draw(st.sampled_from((1, 4, 8))), tuple(rows), "vector")
    count = draw(st.integers(0, 5))
    loops = [draw(st.integers(0, 2)) for _ in range(count)]
    steps = [draw(st.integers(1, 7)) for _ in range(count)]
    statement = Statement(dims, (), (access,), None, 16, 1, PROCESSOR)
    return nests(statement, [*loops], [*steps], 1, 2), access


@settings(deadline=None)
@given(_nests())
def test_footprints_are_what_a_walk_touches(made: tuple[Nests, Access]) -> None:
    nest, access = made
    found, lines = nest.footprint(access), nest.line_bytes(access)
    for level in range(len(found)):
        tile = nest.tiles[:, level, 0].astype(int)
        places = itertools.product(*(range(n) for n in tile))
        touched = {tuple(np.dot(r[:-1], place) for r in access.map) for place in places}
        assert (found[level] == len(touched)).all()
        assert (lines[level] >= len(touched) * access.element_bytes / LINE_BYTES).all()
        assert (lines[level] <= len(touched) * LINE_BYTES * 4).all()
        assert (lines[level] % LINE_BYTES == 0).all()


def test_lines_of_whole_rows_are_not_cut() -> None:
    access = Access((10, 3), 4, (row(2, d0=1), row(2, d1=1)), "vector")
    statement = Statement((10, 3), (), (access,), 1, 16, 1, PROCESSOR)
    nest = nests(statement, [0, 1], [2, 1], 1, 1)
    # 30 elements together; 2 rows of 3; one element of each of 2 rows.
    assert nest.line_bytes(access)[:, 0].tolist() == [128, 64, 128]
    assert nest.footprint(access)[:, 0].tolist() == [30, 6, 2]


def _drawn(space: Space, count: int) -> Nests:
    lattice = Lattice(space)
    states = lattice.rows([lattice.default, *lattice.draw(np.random.default_rng(0), count)])
    assert space.nests is not None
    return space.nests({d.name: np.array(d.values)[states[:, i]] for i, d in enumerate(space.decisions)})


@pytest.mark.parametrize("task", _SOME.values(), ids=_SOME)
def test_loops_cover_the_extents(task: Task) -> None:
    for space in sketches_for(task, PROCESSOR):
        nest = _drawn(space, 200)
        dims = nest.statement.dims
        assert dims == task.anchor_op.dims
        covered = np.ones((len(dims), nest.count))
        each = np.arange(nest.count)
        for s, loops in enumerate(nest.loops):
            extent, step = nest.tiles[loops, s, each], nest.tiles[loops, s + 1, each]
            assert ((nest.trips[s] - 1) * step < extent).all()
            assert (nest.trips[s] * step >= extent).all()
            covered[loops, each] *= nest.ratios[s]
        assert np.allclose(covered * nest.tiles[:, -1], np.array(dims)[:, None])
        work = np.prod(nest.tiles[:, -1], axis=0) * nest.executions[-1]
        assert np.allclose(work, np.prod(dims))


@pytest.mark.parametrize("task", _SOME.values(), ids=_SOME)
def test_a_nest_is_that_of_its_candidate_alone(task: Task) -> None:
    for space in sketches_for(task, PROCESSOR):
        candidate = space.sample(random.Random(1))
        assert space.nests is not None
        alone = space.nests({name: np.array([value]) for name, value in candidate.values})
        both = space.nests(
            {name: np.array([space.default()[name], value]) for name, value in candidate.values}
        )
        assert (alone.loops[:, 0] == both.loops[:, 1]).all()
        assert (alone.tiles[:, :, 0] == both.tiles[:, :, 1]).all()
        assert (alone.packed[:, 0] == both.packed[:, 1]).all()
