"""What is trained on, and what is judged by."""

from __future__ import annotations

import pytest

from harl_mlir.cli import train_looptune
from harl_mlir.looptune.problems import (
    SIZES,
    Conv2D,
    Matmul,
    held_out_matmuls,
    matmuls,
    module,
    other_problems,
    stratified,
    training_matmuls,
)
from harl_mlir.measure.pool import Pool
from harl_mlir.training.held_out import load_held_out


def test_the_matmuls_are_those_of_the_paper() -> None:
    assert SIZES == (64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256)
    everything, judged, trained = set(matmuls()), set(held_out_matmuls()), set(training_matmuls())
    assert (len(everything), len(judged), len(trained)) == (2197, 220, 1977)
    assert judged | trained == everything
    assert not judged & trained
    assert len({problem.name for problem in everything}) == 2197
    assert everything == {Matmul(m, n, k) for m in SIZES for n in SIZES for k in SIZES}
    # Anyone who holds them out has to hold out the same.
    assert held_out_matmuls()[:3] == (Matmul(64, 80, 64), Matmul(64, 80, 192), Matmul(64, 80, 208))


def test_25_of_them_are_small_to_large() -> None:
    chosen = stratified(held_out_matmuls())
    assert len(set(chosen)) == 25
    assert set(chosen) <= set(held_out_matmuls())
    flops = [problem.flops for problem in chosen]
    assert flops == sorted(flops)
    ranks = sorted(problem.flops for problem in held_out_matmuls())
    for number, work in enumerate(flops):
        assert ranks[number * 220 // 25] <= work <= ranks[(number + 1) * 220 // 25 - 1]


def test_the_others_are_drawn_by_the_seed() -> None:
    found = other_problems()
    assert found == other_problems() != other_problems(seed=1)
    assert [sum(isinstance(p, kind) for p in found) for kind in (Matmul, Conv2D)] == [158, 80]
    assert len({problem.name for problem in found}) == 238
    assert all(1e5 < problem.flops < 6e8 for problem in found)
    assert not set(found) & set(matmuls())


@pytest.mark.parametrize("problems", [held_out_matmuls(), other_problems()], ids=["held out", "others"])
def test_each_function_is_a_task_of_its_work(pool: Pool, problems: tuple[Matmul | Conv2D, ...]) -> None:
    tasks = pool.analyse(module(problems), "problems").tasks
    assert [task.function for task in tasks] == [problem.name for problem in problems]
    assert [task.flops for task in tasks] == [problem.flops for problem in problems]
    assert len({task.key for task in tasks}) == len(problems)


def test_nothing_that_is_judged_by_is_trained_on(pool: Pool) -> None:
    found, held_out = train_looptune._problems(pool)
    keys = {task.key for (task, _), _ in found}
    judged = {task.key for task in pool.analyse(module(held_out_matmuls()), "held out").tasks}
    assert not keys & judged
    assert not keys & set(load_held_out().workloads)
    assert len(found) + held_out == 1977 + 238
    assert sum(weight for _, weight in found) == pytest.approx(1, abs=0.01)
    of_others = [weight for (task, _), weight in found if task.function in OTHERS]
    assert sum(of_others) == pytest.approx(0.55, abs=0.02)


OTHERS = {problem.name for problem in other_problems()}
