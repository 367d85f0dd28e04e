"""Every example is tuned, checked and applied, with a tiny budget, through the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harl_mlir.measure.measurement import FAILURE_KINDS

ROOT = Path(__file__).parent.parent
KERNELS = sorted(
    path.name for path in (ROOT / "examples").glob("*.mlir") if not path.stem.endswith("_schedule")
)
TASK_FIELDS = {
    "key", "function", "op", "weight", "flops", "baseline_seconds", "default_seconds", "best_seconds",
    "gflops", "trials", "failures", "sketch", "checked", "walk",
}  # fmt: skip


def words_of(name: str) -> list[str]:
    """The words after `tune` in the command that the example names first."""
    command = re.search(r"^//   harl-mlir tune (.+)$", (ROOT / "examples" / name).read_text(), re.MULTILINE)
    assert command is not None
    return [str(ROOT / word) if word.startswith("examples/") else word for word in command[1].split()]


def check_task(task: dict[str, Any]) -> None:
    assert set(task) == TASK_FIELDS
    assert re.fullmatch(r"[0-9a-f]{16}", task["key"])
    assert task["weight"] >= 1
    assert task["best_seconds"] is None or task["best_seconds"] > 0
    assert set(task["failures"]) <= set(FAILURE_KINDS)
    assert sum(task["failures"].values()) <= task["trials"]
    assert "wrong_result" not in task["failures"]


@pytest.mark.parametrize("name", KERNELS)
def test_an_example_is_tuned_and_its_schedules_apply(
    name: str, harl_mlir: Callable[..., Any], tmp_path: Path
) -> None:
    words = words_of(name)
    run = harl_mlir(
        "tune", *words, "--agent", "random", "--trials", "9", "--seconds", "20", "-o", "tuned.mlir", "--json"
    )
    assert run.exit_code == 0, run.err
    result = run.object
    assert (result["schema"], result["status"], result["error"]) == (1, "ok", None)
    assert result["wall_seconds"] > 0
    assert result["tasks"]
    for task in result["tasks"]:
        check_task(task)
        assert task["default_seconds"] is not None
    assert sum(task["trials"] for task in result["tasks"]) <= 9
    assert [entry for entry in result["skipped"] if set(entry) != {"op", "place", "reason"}] == []

    library = Path(name).stem + ".schedules.mlir"
    assert {"cache", "tuned.mlir", library} == {p.name for p in tmp_path.iterdir()}
    assert "vector<" in (tmp_path / "tuned.mlir").read_text()
    applied = harl_mlir("apply", words[0], "--library", library, "-o", "again.mlir")
    assert applied.exit_code == 0, applied.err
    assert (tmp_path / "again.mlir").read_text() == (tmp_path / "tuned.mlir").read_text()


def test_equal_tasks_are_tuned_once_and_counted(harl_mlir: Callable[..., Any]) -> None:
    run = harl_mlir("tune", ROOT / "examples/several_functions.mlir", "--agent", "default", "--json")
    assert run.exit_code == 0, run.err
    assert [(task["function"], task["weight"]) for task in run.object["tasks"]] == [
        ("project", 2),
        ("scale", 1),
    ]
