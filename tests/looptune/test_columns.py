"""What an estimate sees of a nest."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.looptune.columns import COLUMNS, NestColumns
from harl_mlir.looptune.problems import Conv2D, Matmul, module
from harl_mlir.looptune.sampling import draw
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.nest.nest import parse, plain_nest
from harl_mlir.space.nest.space import rules_for
from harl_mlir.tasks.task import Task
from tests.looptune.problems import CONV, MATMUL, rules_of
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.legality import processor_with
from tests.schedule.sketches.loop_nests import LoopNest as Kernel
from tests.space.sketches.single_op_tasks import PROCESSOR
from tests.space.sketches.test_contraction_space import matmul

LOG = np.log2
OF_MATMUL = NestColumns(MATMUL, rules_of(MATMUL), PROCESSOR)


def columns(text: str) -> dict[str, float]:
    """Of a nest of m 64, n 96, k 80, by name."""
    nest = parse(MATMUL.anchor_op.dims, text)
    assert OF_MATMUL.rules.is_legal(nest)
    return dict(zip(COLUMNS, OF_MATMUL.rows([nest])[0].tolist(), strict=True))


def assert_are(found: dict[str, float], expected: dict[str, float]) -> None:
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-5)


def test_a_register_tile_around_which_the_sum_is_innermost() -> None:
    """Eight rows of two registers, filled once, and multiplied and added 80 times."""
    found = columns("0/8 1/32 2/1 0/1u 1/1v")
    of_loops = {
        **{"vector": 1, "lanes": 1, "rows": 3, "registers": 16 / 32, "unroll": 0, "body": 4, "loops": 3},
        # Inside, k moves both inputs; then n the vectors and the result; then m rows and the result.
        **{"trips_0": LOG(80), "moves_v_0": 1, "moves_b_0": 1, "moves_r_0": 0},
        **{"trips_1": LOG(3), "moves_v_1": 1, "moves_b_1": 0, "moves_r_1": 1},
        **{"trips_2": 3, "moves_v_2": 0, "moves_b_2": 1, "moves_r_2": 1, "trips_3": 0},
        # Bytes of a row of B, and between two rows of A.
        **{"step_v": LOG(1 + 4 * 96), "step_b": LOG(1 + 4), "apart_b": LOG(1 + 4 * 80), "cut": 0},
        **{"operations": LOG(64 * 96 * 80), "points": LOG(64 * 96), "summed": LOG(80), "members": 1},
    }
    of_marks = {
        **{"is_vector": 1, "is_sum": 0, "width": 5, "tile": 16, "unrolled": 4, "hoisted": LOG(80)},
        **{"filled_inside": 1, "pieces": 1, "trips_unrolled_0": 3, "sums_unrolled_0": 0},
        **{"loads_v_unrolled_0": 0, "loads_b_unrolled_0": 1, "trips_unrolled_1": 0},
    }
    assert_are(found, of_loops | of_marks)


def test_a_reduction_unrolled_in_a_nest_that_is_cut_short() -> None:
    """A last step of 16 rows of 24; four steps of k are in the body, but rows are around k."""
    found = columns("0/24 1/32 2/4 0/8 2/1u 0/1u 1/1v")
    of_loops = {
        **{"rows": 3, "unroll": 2, "body": 6, "loops": 5, "cut": 16 / 64},
        **{"trips_0": 2, "trips_1": LOG(3), "trips_2": LOG(20), "trips_3": LOG(3), "trips_4": LOG(3)},
    }
    of_marks = {
        **{"is_vector": 1, "tile": 16, "unrolled": 6, "hoisted": 0, "filled_inside": 0, "pieces": 2},
        **{"trips_unrolled_0": 3, "sums_unrolled_0": 0, "loads_v_unrolled_0": 0, "loads_b_unrolled_0": 1},
        **{"trips_unrolled_1": 2, "sums_unrolled_1": 1, "loads_v_unrolled_1": 1, "loads_b_unrolled_1": 1},
    }
    assert_are(found, of_loops | of_marks)


def test_a_vector_that_is_summed_and_no_vector() -> None:
    summed = {"is_vector": 1, "is_sum": 1, "width": 4, "tile": 1, "unrolled": 0, "hoisted": LOG(5)}
    assert_are(columns("0/1 1/1 2/16 2/1v"), {**summed, "filled_inside": 1, "trips_unrolled_0": 0})
    plain = {"is_vector": 0, "is_sum": 0, "width": 0, "tile": 1, "unrolled": 0, "hoisted": LOG(80)}
    loops = {"loops": 3, "trips_0": LOG(80), "trips_1": LOG(96), "trips_2": 6, "lanes": 1 / 16}
    assert_are(columns("0/1 1/1 2/1"), {**plain, "filled_inside": 1, "pieces": 1, **loops})


@pytest.mark.parametrize(
    ("task", "text"), [(matmul(8, 16, 1), "0/1u 1/1v"), (matmul(1, 1, 16), "2/1v")], ids=["outer", "dot"]
)
def test_a_nest_that_is_all_tile(task: Task, text: str) -> None:
    rules = rules_of(task)
    nest = parse(task.anchor_op.dims, text)
    assert rules.is_legal(nest)
    made = NestColumns(task, rules, PROCESSOR)
    found = dict(zip(COLUMNS, made.rows([nest])[0].tolist(), strict=True))
    assert_are(found, {"loops": 0, "trips_0": 0, "is_vector": 1, "width": 4, "hoisted": 0, "pieces": 1})
    plain = made.rows([plain_nest(task.anchor_op.dims), nest])[1]
    np.testing.assert_array_equal(plain, made.rows([nest])[0])


def assert_rows(task: Task, seed: int) -> None:
    """Rows of drawn nests are finite, and each is what it is alone, in any order."""
    rules = rules_of(task) if task in (MATMUL, CONV) else rules_for(task, processor_with(64))
    if rules is None:
        return
    rng = random.Random(seed)
    nests = [plain_nest(rules.op.dims), *(draw(rules, rng) for _ in range(6))]
    made = NestColumns(task, rules, this_processor())
    rows = made.rows(nests)
    assert rows.dtype == np.float32
    assert rows.shape == (7, len(COLUMNS))
    assert np.isfinite(rows).all()
    order = rng.sample(range(7), 7)
    np.testing.assert_array_equal(made.rows([nests[n] for n in order]), rows[order])
    for nest, row in zip(nests, rows, strict=True):
        np.testing.assert_array_equal(NestColumns(task, rules, this_processor()).rows([nest])[0], row)


@pytest.mark.parametrize("task", [MATMUL, CONV], ids=["matmul", "conv"])
def test_rows_do_not_depend_on_their_batch(task: Task) -> None:
    for seed in range(20):
        assert_rows(task, seed)


@settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(st.one_of(contractions(), convolutions()), st.integers(0, 1000))
def test_rows_of_random_ops_are_finite(pool: Pool, kernel: Kernel, seed: int) -> None:
    for task in pool.analyse(kernel.text, "kernel.mlir").tasks:
        assert_rows(task, seed)


def test_rows_of_problems_differ(pool: Pool) -> None:
    """Nests of one text have other rows where the sizes are others."""
    problems = (Matmul(64, 64, 64), Matmul(64, 64, 128), Conv2D(14, 14, 16, 32, 3))
    rows = []
    for task in pool.analyse(module(problems), "problems").tasks:
        rules = rules_for(task, processor_with(64))
        assert rules is not None
        made = NestColumns(task, rules, this_processor())
        rows.append(made.rows([plain_nest(rules.op.dims)])[0].tobytes())
    assert len(set(rows)) == 3
