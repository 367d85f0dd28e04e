"""Every example is tuned, checked and applied, with a tiny budget; those in Python run as they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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
    "gflops", "trials", "failures", "sketch", "checked", "record", "walk",
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


PROGRAMS = {
    "tune_and_call.py": (["3"], r"matmul 96x128x64 f32 \+1: \d+ trials\n(.*\n)+the numbers are NumPy's"),
    "beside_mlir.py": (["3"], r"1 schedule\(s\); scheduled: True"),
    "best_known.py": (
        [str(ROOT / "examples/matmul.mlir"), "m.db", "3"],
        r"linalg.matmul: scheduled by @schedule_[0-9a-f]{16}\n\d+ measurements, \d+ of them failures",
    ),
}


def run_program(words: list[str], directory: Path) -> str:
    """What a program prints that runs in a directory of its own, with this checkout importable."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(directory / "cache")}
    ended = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=directory,
        env=environment,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def test_every_program_is_run() -> None:
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(PROGRAMS)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_does_what_it_says(name: str, tmp_path: Path) -> None:
    words, said = PROGRAMS[name]
    assert re.search(said, run_program([str(ROOT / "examples" / name), *words], tmp_path))


def test_the_second_time_nothing_is_measured(tmp_path: Path) -> None:
    words = [str(ROOT / "examples/best_known.py"), str(ROOT / "examples/matmul.mlir"), "m.db", "3"]
    first, second = (run_program(words, tmp_path) for _ in range(2))
    assert second == f"known: matmul 512x512x512 f32\n{first}"


def test_the_readme_s_program_runs(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## From Python\n")[2].partition("\n\n### ")[0]
    lines = re.search(r"(?:^    .*\n|^\n)+", section, re.MULTILINE)
    assert lines is not None
    program = lines[0].replace("seconds=20", "seconds=3").replace("\n    ", "\n").lstrip()
    assert "harl_mlir.tune(" in program
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "readme.py").write_text(program)
    said = run_program(["readme.py"], tmp_path)
    assert re.match(r"matmul 512x512x512 f32 \d+\.\d+\n", said)
    assert (tmp_path / "matmul.schedules.mlir").is_file()
