"""`tune --agent looptune` by weights that know little: from the walk to the library and the records."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harl_mlir.looptune.actions import CONFIGURATIONS
from harl_mlir.looptune.columns import COLUMNS
from harl_mlir.looptune.estimate import fit
from harl_mlir.looptune.learner import LearnerSettings, new_policy
from harl_mlir.looptune.weights import write
from tests.cli.test_untimed_runs import KERNEL

LOOPTUNE = ("--agent", "looptune", "--weights", "weights", "--db", "m.db", "--json")


@pytest.fixture(autouse=True)
def directory(tmp_path: Path) -> Path:
    """A matmul that is walked, an addition that is not, and weights, in the working directory."""
    (tmp_path / "k.mlir").write_text(KERNEL)
    rng = np.random.default_rng(0)
    trees = fit(rng.random((64, len(COLUMNS)), np.float32), rng.random(64), 0)
    policies = {c.name: new_policy(c, LearnerSettings(), 0).weights() for c in CONFIGURATIONS}
    write(tmp_path / "weights", trees, policies, 100.0, {})
    return tmp_path


def test_a_walk_decides_without_measuring_and_can_be_seen(
    harl_mlir: Callable[..., Any], directory: Path
) -> None:
    run = harl_mlir("tune", "k.mlir", *LOOPTUNE, "--trials", "0", "--check", "--explain")
    assert run.exit_code == 0, run.err
    walked, other = run.object["tasks"]
    assert (walked["sketch"], walked["checked"], other["checked"]) == ("loop_nest", True, True)
    assert walked["walk"][0]["action"] == "start"
    assert walked["walk"][0]["nest"] == "0/1 1/1 2/1"
    assert len(walked["walk"]) > 1
    assert other["walk"] is None
    assert "the walk over matmul 96x80x64 f32 (product), by estimate:" in run.err
    first = f"{100 * walked['walk'][0]['estimate']:.1f}"
    # The peak that was trained on is 100 GFLOP/s.
    assert f"0 start {first} GFLOP/s {first} % of the peak m, n, k" in " ".join(run.err.split())
    assert not (directory / "m.db").exists()


def test_a_handful_is_measured_and_recalled(harl_mlir: Callable[..., Any], directory: Path) -> None:
    for _ in range(2):
        run = harl_mlir("tune", "k.mlir", *LOOPTUNE, "--trials", "6")
        assert run.exit_code == 0, run.err
        assert all(task["best_seconds"] is not None for task in run.object["tasks"])
        assert run.object["tasks"][0]["walk"] is None
    with sqlite3.connect(directory / "m.db") as connection:
        query = (
            "SELECT sketch, count(DISTINCT choices), count(*) FROM record WHERE stage = 'trial' GROUP BY 1"
        )
        counts = {sketch: (distinct, rows) for sketch, distinct, rows in connection.execute(query)}
    distinct, rows = counts["loop_nest"]
    assert 1 < distinct == rows <= 8


def test_missing_weights_are_refused(harl_mlir: Callable[..., Any], directory: Path) -> None:
    (directory / "weights" / "about.json").unlink()
    run = harl_mlir("tune", "k.mlir", *LOOPTUNE)
    assert run.exit_code == 1
    assert "there are no weights of looptune here" in run.object["error"]["message"]
    assert not (directory / "m.db").exists()
