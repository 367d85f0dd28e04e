"""Every legal loop nest computes the right numbers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.looptune.problems import Conv2D, Matmul
from harl_mlir.measure.pool import Pool
from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.nest import LoopNest as Nest
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import candidate_of, nest_space, rules_for
from harl_mlir.tasks.task import Task
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.legality import processor_with
from tests.schedule.sketches.loop_nests import LoopNest

_QUICK = settings(
    max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
_WIDTHS = st.sampled_from((16, 32, 64, 64))


def _assert_right(pool: Pool, text: str, draws: int, seed: int, vector_bytes: int) -> None:
    """Measure `draws` nests of each task, every second with the code generator's marks."""
    rng = random.Random(seed)
    for task in pool.analyse(text, "kernel.mlir").tasks:
        space = nest_space(task, processor_with(vector_bytes))
        rules = rules_for(task, processor_with(vector_bytes))
        if space is None or rules is None:
            continue
        for number in range(draws):
            nest = parse(rules.op.dims, str(space.sample(rng)["nest"]))
            _assert_measured(pool, task, generated(_plain(nest), rules) if number % 2 else nest, rules)


def _plain(nest: Nest) -> Nest:
    return replace(nest, loops=tuple(replace(loop, mark="") for loop in nest.loops))


def _assert_measured(pool: Pool, task: Task, nest: Nest, rules: NestRules) -> None:
    assert rules.is_legal(nest)
    measurement = pool.measure(task, candidate_of(nest, rules))
    assert measurement.ok, f"{measurement.failure}\n{nest.text()} of {nest.dims}\n{task.kernel}"


@_QUICK
@given(st.one_of(contractions(), convolutions()), _WIDTHS, st.integers(0, 1000))
def test_random_nests(pool: Pool, kernel: LoopNest, vector_bytes: int, seed: int) -> None:
    _assert_right(pool, kernel.text, 2, seed, vector_bytes)


@pytest.mark.slow
@settings(_QUICK, max_examples=600, derandomize=False)
@given(st.one_of(contractions(), convolutions()), _WIDTHS, st.integers(0, 1000))
def test_many_random_nests(pool: Pool, kernel: LoopNest, vector_bytes: int, seed: int) -> None:
    _assert_right(pool, kernel.text, 6, seed, vector_bytes)


_FUSED = """func.func @k(%a: tensor<33x20xf32>, %b: tensor<20x48xf32>, %bias: tensor<48xf32>)
    -> tensor<33x48xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<33x48xf32>
  %f = linalg.fill ins(%zero : f32) outs(%empty : tensor<33x48xf32>) -> tensor<33x48xf32>
  %p = linalg.matmul ins(%a, %b : tensor<33x20xf32>, tensor<20x48xf32>) outs(%f : tensor<33x48xf32>)
    -> tensor<33x48xf32>
  %r = linalg.generic {
    indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
    iterator_types = ["parallel", "parallel"]
  } ins(%p, %bias : tensor<33x48xf32>, tensor<48xf32>) outs(%empty : tensor<33x48xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<33x48xf32>
  return %r : tensor<33x48xf32>
}
"""


@pytest.mark.parametrize(
    "nest",
    [
        "0/1 1/1 2/1",
        "0/8 1/16 2/1 0/1u 1/1v",
        # An odd number of rows, columns outside.
        "1/16 0/4 2/4 2/1u 0/1u 1/1v",
        # The contracted loop outside, or between two parts of the rows.
        "2/1 0/8 1/16 0/1u 1/1v",
        "0/8 2/5 0/4 1/16 2/1 0/1u 1/1v",
        # Sums in the lanes of a vector.
        "0/1 1/1 2/4 2/1v",
    ],
)
def test_epilogues(pool: Pool, nest: str) -> None:
    (task,) = pool.analyse(_FUSED, "kernel.mlir").tasks
    assert len(task.members) == 3
    rules = rules_for(task, processor_with(64))
    assert rules is not None
    _assert_measured(pool, task, parse(rules.op.dims, nest), rules)


@pytest.mark.parametrize(
    ("problem", "nest"),
    [
        (Matmul(64, 80, 96), "0/1 1/1 2/1"),
        (Matmul(64, 80, 96), "0/8 1/16 2/4 2/1u 0/1u 1/1v"),
        (Matmul(64, 80, 96), "0/24 1/32 2/32 0/8 2/1 0/1u 1/1v"),
        (Conv2D(9, 11, 8, 32, 3), "1/3 2/4 4/1 5/1 6/1 1/1 2/1u 3/1v"),
        (Conv2D(9, 11, 8, 32, 3, 2), "6/4 1/1 2/1 4/1 5/1 6/1u 3/1v"),
    ],
    ids=str,
)
def test_nests_of_problems(pool: Pool, problem: Matmul | Conv2D, nest: str) -> None:
    (task,) = pool.analyse(problem.function(), "kernel.mlir").tasks
    rules = rules_for(task, processor_with(64))
    assert rules is not None
    _assert_measured(pool, task, parse(rules.op.dims, nest), rules)
