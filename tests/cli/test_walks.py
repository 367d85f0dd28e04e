"""A walk as people and programs see it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harl_mlir.cli.terminal import Terminal
from harl_mlir.cli.walks import explain, walk_objects
from harl_mlir.processor import this_processor
from harl_mlir.space.nest.space import rules_for
from harl_mlir.tuner import TaskResult
from tests.small_task import matmul_task
from tests.tuner.walked import plain_walk


def result() -> TaskResult:
    task = matmul_task()
    rules = rules_for(task, this_processor())
    assert rules is not None
    walk = plain_walk(task, rules)
    return TaskResult(task, None, None, None, None, None, 0, 0, {}, walk=walk, walk_peak_gflops=200.0)


def test_every_step_with_its_nest_and_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    explain([result(), replace(result(), walk=None)], Terminal(as_json=False, debug=False))
    title, first, second = capsys.readouterr().out.splitlines()
    assert "matmul 8x8x4" in title
    assert first.split() == ["0", "start", "4.0", "GFLOP/s", "2.0", "%", "of", "the", "peak", "m,", "n,", "k"]
    assert second.startswith("   1  split 2 ")
    assert " 50.0 GFLOP/s  25.0 % of the peak  m/2, m:2, n, k" in second


def test_the_json_form() -> None:
    walk = walk_objects(result())
    assert walk is not None
    assert walk[0] == {"action": "start", "nest": "0/1 1/1 2/1", "estimate": 0.02}
    assert walk_objects(replace(result(), walk=None)) is None
