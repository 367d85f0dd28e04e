"""What agents see."""

from __future__ import annotations

import random

import numpy as np
import pytest

from harl_mlir.looptune.actions import CONFIGURATIONS, PAPER, PRODUCT, Configuration, successors
from harl_mlir.looptune.graph import state_graph
from harl_mlir.looptune.observation import HIGHEST, LOWEST, observe, width
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.space.nest.nest import parse
from harl_mlir.tasks.task import Task
from tests.looptune.problems import CONV, MATMUL, rules_of


def test_paper_columns() -> None:
    """Sizes, tails and strides of a matmul of 64x96 by 80, by hand."""
    state = WalkState(parse(MATMUL.anchor_op.dims, "0/24 1/1 2/1 0/8 0/1"), 2)
    seen = observe(state, MATMUL, rules_of(MATMUL), PAPER, 10).reshape(10, 20)
    np.testing.assert_array_equal(seen[:, 0], [0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(seen[:5, 1], np.log2([3, 96, 80, 3, 8]) / 8, rtol=1e-6)
    np.testing.assert_allclose(seen[:5, 2], [16 / 24, 0, 0, 0, 0], rtol=1e-6)
    np.testing.assert_array_equal(seen[:5, 3], 1)
    histogram = np.zeros((5, 16))
    # 24 rows of A (80) and C (96); columns of B and C; A by one and rows of B; 8 rows; rows.
    for loop, strides in enumerate([(1920, 2304), (1, 1), (1, 96), (640, 768), (80, 96)]):
        for stride in strides:
            histogram[loop, int(np.ceil(np.log2(stride)))] += 1 / 3
    np.testing.assert_allclose(seen[:5, 4:], histogram, rtol=1e-6)
    assert not seen[5:].any()


def test_product_columns() -> None:
    state = WalkState(parse(MATMUL.anchor_op.dims, "0/24 1/32 2/1 0/8 0/1u 1/1v"), 3)
    seen = observe(state, MATMUL, rules_of(MATMUL), PRODUCT, 15)
    loops, whole = seen[:288].reshape(12, 24), seen[288:]
    log = np.log2
    np.testing.assert_allclose(
        loops[0],
        [
            *(1, 0, log(64) / 10, log(3) / 10, log(24) / 10, 16 / 24, 0, 0, 0, 0, 0, 1),
            *(1, 0, 1, log(1920) / 16, 0, log(2304) / 16),
            *(log(24 * 80) / 20, log(80 * 96) / 20, log(24 * 96) / 20, log(64) / 10, 0, 5 / 12),
        ],
        rtol=1e-6,
    )
    np.testing.assert_array_equal(np.flatnonzero(loops[:, 1]), [3])
    np.testing.assert_array_equal(np.flatnonzero(loops[:, 6]), [2])
    np.testing.assert_array_equal(np.flatnonzero(loops[:, 7]), [4])
    np.testing.assert_array_equal(np.flatnonzero(loops[:, 8]), [5])
    np.testing.assert_array_equal(np.flatnonzero(loops[:, 9]), [1, 2, 5])
    np.testing.assert_array_equal(np.flatnonzero(loops[:, 10]), [3])
    np.testing.assert_array_equal(np.flatnonzero(loops[:, 11]), [0, 3, 4])
    assert not loops[6:].any()
    np.testing.assert_allclose(
        whole,
        [
            *(0.5, 6 / 12, 2 / 12, log(64 * 96) / 20, log(80) / 20),
            *(log(64 * 80) / 20, log(80 * 96) / 20, log(64 * 96) / 20, 2 / 4, 0, 4 / 5, 1),
            # Eight rows of two registers; eight elements of A and two registers of B are loaded for them.
            *(1, 0, 1, 2 / 4, 16 / 32, 4 / 7, log(16 / 10) / 5, 1 / 4),
        ],
        rtol=1e-6,
    )


@pytest.mark.parametrize("task", [MATMUL, CONV], ids=["matmul", "conv"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda c: str(c.name))
def test_observations_of_walks(task: Task, configuration: Configuration) -> None:
    rules, rng = rules_of(task), random.Random(3)
    column = {"paper": (0, 20), "product": (1, 24)}[configuration.name]
    for _ in range(5):
        state = start(task.anchor_op.dims)
        for left in range(configuration.steps, 0, -1):
            seen = observe(state, task, rules, configuration, left)
            assert seen.dtype == np.float32
            assert seen.shape == (width(configuration),)
            assert np.isfinite(seen).all()
            assert seen.min() >= LOWEST
            assert seen.max() <= min(HIGHEST, 2)
            cursors = seen[column[0] : configuration.most_loops * column[1] : column[1]]
            in_graph = [
                cursor for _, cursor in state_graph(state, rules).nodes(data="cursor") if cursor is not None
            ]
            assert list(cursors[: len(in_graph)]) == in_graph
            state = rng.choice([made for made in successors(state, configuration, rules) if made is not None])
