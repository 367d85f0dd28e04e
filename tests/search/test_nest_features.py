"""The columns of loop nests: the same in every space, and what they tell on nests done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harl_mlir.search.cost_model import CostModel
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.search.nest_columns import COLUMNS
from harl_mlir.search.nest_features import nest_rows
from harl_mlir.search.nest_traffic import Traffic
from harl_mlir.search.settings import Settings
from harl_mlir.space.decision import Decision
from harl_mlir.space.loop_nests import Access, Nests, Statement, nests
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from tests.search.landscapes import matmul_task
from tests.space.sketches.single_op_tasks import PROCESSOR, row
from tests.space.sketches.test_contraction_space import conv, matmul
from tests.space.sketches.test_spaces import TASKS

_EVERY = [task for task, _ in TASKS.values()] + [matmul(96, 80, 50), conv(16, 48, 30, 2, first=False)]


def test_every_space_has_the_same_columns() -> None:
    rng = np.random.default_rng(0)
    for task in _EVERY:
        for space in sketches_for(task, PROCESSOR):
            features, lattice = SpaceFeatures(task, space), Lattice(space)
            states = rng.integers(0, lattice.sizes, size=(1000, len(lattice.sizes)))
            rows = features.model_rows(states)
            assert features.nest_rows(states).shape == (1000, SpaceFeatures.nest_width)
            assert (rows[:, : SpaceFeatures.nest_width] == features.nest_rows(states)).all()
            assert rows.dtype == np.float32
            assert np.isfinite(rows).all()
    assert len(set(COLUMNS)) == len(COLUMNS) == SpaceFeatures.nest_width


def test_a_space_of_unknown_nests_has_zeros() -> None:
    space = Space("script", 1, (Decision("tile", (1, 2), 1),))
    rows = SpaceFeatures(matmul_task(), space).model_rows(Lattice(space).rows([(0,), (1,)]))
    assert not rows[:, : SpaceFeatures.nest_width].any()


def _matmul_nest(size: int, rows: int, vector: int) -> Nests:
    """C tiled by rows and vectors, then the contracted loop."""
    a = Access((size, size), 4, (row(3, d0=1), row(3, d2=1)), "broadcast")
    b = Access((size, size), 4, (row(3, d2=1), row(3, d1=1)), "vector")
    c = Access((size, size), 4, (row(3, d0=1), row(3, d1=1)), "result")
    statement = Statement((size,) * 3, (2,), (a, b, c), 1, 16, 1, PROCESSOR)
    return nests(statement, [1, 0, 2], [vector, rows, 1], 1, 1)


def test_what_a_matmul_moves() -> None:
    size, rows, vector = 1024, 8, 32
    traffic = Traffic(_matmul_nest(size, rows, vector))
    tiles = (size // rows) * (size // vector)
    loads = traffic.loads
    assert loads["vector"][0] == tiles * size * vector / 16
    assert loads["broadcast"][0] == tiles * size * rows
    assert loads["result"][0] == 2 * tiles * rows * vector / 16
    # A tile's panel of B (128 KB) leaves L1, but not L2: it is read once for all rows.
    l2 = traffic.into(PROCESSOR.l2_bytes)
    assert l2["vector"][0] == size * size * 4
    assert l2["broadcast"][0] == size // vector * size * size * 4
    l1 = traffic.into(PROCESSOR.l1_bytes)
    assert l1["vector"][0] == size // rows * size * size * 4
    # All of it stays in L3 from call to call.
    assert sum(traffic.into(PROCESSOR.l3_bytes).values())[0] == 0


def test_columns_of_a_matmul() -> None:
    task = matmul_task(1024, 1024, 1024)
    (values,) = nest_rows(task, _matmul_nest(1024, 8, 32))
    found = dict(zip(COLUMNS, values.tolist(), strict=True))
    expected = {
        "vector": 1, "lanes": 1, "rows": 3, "registers": 0.5, "pressure": 18 / 32, "chains": 0,
        "stride_v": 1, "stride_r": 1, "step_v": math.log2(1 + 4096), "step_b": math.log2(5),
        "page_b": 3, "trips_0": 10, "moves_v_0": 1, "moves_b_0": 1, "moves_r_0": 0, "trips_1": 7,
        "moves_v_1": 0, "moves_b_1": 1, "moves_r_1": 1, "trips_2": 5, "trips_3": 0, "loops": 3,
        "trips": 22, "cut": 0, "held_v": math.log2(1 + 128 * 1024), "tile_r": 10, "packs_v": 0,
        "copied": 0, "cycles_tile": 0, "operations": 30, "summed": 10, "points": 20, "dims": 3,
        "windows": 0, "members": 1, "element": 2,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=2e-3), name


def test_cut_tiles_and_empty_lanes_are_told() -> None:
    task = matmul_task(1024, 1024, 1024)
    (values,) = nest_rows(task, _matmul_nest(1000, 7, 48))
    found = dict(zip(COLUMNS, values.tolist(), strict=True))
    # 142 whole tiles of 7 rows, 20 of 48 elements; the last 40 elements take three registers.
    assert found["cut"] == pytest.approx(1 - 994 / 1000 * 960 / 1000)
    assert found["lanes"] == pytest.approx(1000 / 63 / 16)
    assert found["trips_1"] == pytest.approx(math.log2(143))


def test_a_sketch_teaches_another_of_the_same_task() -> None:
    """Times that follow from rows and vectors alone: measured in one sketch, ranked in another."""
    task = matmul(192, 160, 128)
    first, second = [s for s in sketches_for(task, PROCESSOR) if "across" not in s.sketch][:2]
    rng, known = np.random.default_rng(0), []
    for space in (first, second):
        features, lattice = SpaceFeatures(task, space), Lattice(space)
        states = lattice.rows(lattice.draw(rng, 3000)[:200])
        rows = features.nest_rows(states)
        truth = np.exp2(-np.abs(rows[:, COLUMNS.index("rows")] - 3) - rows[:, COLUMNS.index("vector")])
        known.append((features, states, rows, truth.astype(np.float32)))
    (_, _, rows, truth), (features, states, _, expected) = known
    taught = features.of_others(rows)
    assert taught.shape == (200, features.model_rows(states).shape[1])
    assert np.isnan(taught[:, SpaceFeatures.nest_width :]).all()
    model = CostModel(Settings(), 0)
    assert model.fit(taught, truth)
    scores = model.scores(features.model_rows(states))
    assert np.corrcoef(scores, expected)[0, 1] > 0.9
