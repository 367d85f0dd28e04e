"""A failed candidate can be shown again by one file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def test_the_summary_names_a_file_that_shows_a_failure_again(
    harl_mlir: Callable[..., Any], tmp_path: Path, environment: dict[str, str]
) -> None:
    script = (ROOT / "examples/scripted_schedule.mlir").read_text()
    # 24 does not divide 128: the rest has no static shape, and vectorising it fails.
    (tmp_path / "s.mlir").write_text(script.replace("[16, 32, 64]", "[24]"))
    words = (ROOT / "examples/scripted.mlir", "--schedule", "s.mlir", "--trials", "2", "--db", "m.db")
    run = harl_mlir("tune", *words, "--agent", "random", "--json")
    assert run.exit_code == 1, run.err
    (task,) = run.object["tasks"]
    assert task["failures"] == {"transform": 2}
    assert task["sketch"] is None
    assert [skipped["reason"] for skipped in run.object["skipped"]] == ["every candidate failed"]
    assert run.object["written"] == []
    assert run.object["reproducer"] == "m.scripted.failure.sh"
    assert "failed candidates: 2 transform" in run.err

    again = subprocess.run(
        ["sh", "m.scripted.failure.sh"],
        cwd=tmp_path,
        env={**environment, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert again.returncode == 1, again.stderr
    assert "failed candidates: 1 transform" in again.stdout
    assert "--accuracy reassociate" in (tmp_path / "m.scripted.failure.sh").read_text()
    assert os.access(tmp_path / "m.scripted.failure.sh", os.R_OK)
