"""`explain` and `reproduce` as users run them, on records of every sketch."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harl_mlir.cli.records import here
from harl_mlir.measure.measurement import Failure, Measurement
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import UNTUNED, Record, Stage
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.space import nest_space
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.sketches.nest import has_masks
from tests.cli.recorded_kernel import KERNEL

Command = Callable[..., Any]


def _record(
    task: str, candidate: Candidate, failure: Failure | None = None, stage: Stage = "trial"
) -> Record:
    seconds = None if failure else 1e-6
    measured = Measurement(seconds, seconds, 0 if failure else 5, failure)
    return Record(task, candidate, here(), measured, stage, 0.0, "harl", 0)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A database of made-up times, of the default of every sketch and of what is odd; their numbers."""
    path = tmp_path_factory.mktemp("recorded") / "m.db"
    with Pool() as pool:
        tasks = pool.analyse(KERNEL, "k.mlir").tasks
    candidates: dict[str, tuple[str, Candidate]] = {}
    for task in tasks:
        walked = nest_space(task, this_processor())
        for space in (*sketches_for(task, this_processor()), *([walked] if walked else [])):
            name = "masks" if has_masks(task) else space.sketch
            candidates.setdefault(name, (task.key, space.default()))
    key, pooled = candidates["window"]
    broken = replace(pooled, values=tuple((n, 5 if n == "rows" else v) for n, v in pooled.values))
    whole = next(task for task in tasks if task.arguments[0].element == "i32")
    records = {
        **{sketch: _record(key, candidate) for sketch, (key, candidate) in candidates.items()},
        "untuned": _record(whole.key, UNTUNED, stage="untuned"),
        "failed": _record(key, broken, Failure("transform", "cannot be vectorised\nin detail")),
        "script": _record(key, Candidate("script-0123456789abcdef", 1, (("tile", 8),))),
        "old": _record(key, replace(pooled, version=0)),
        "unknown": _record("0123456789abcdef", pooled),
    }
    with Database(path) as database:
        for task in tasks:
            database.add_task(task)
        database.add_all(records.values())
    return path, {name: number for number, name in enumerate(records, 1)}


NAMES = (
    *("contraction", "contraction_panels", "elementwise", "reduction", "window"),
    *("masks", "loop_nest", "untuned"),
)


def _run(directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The script without anything of ours: no Python path, no home, no variables."""
    return subprocess.run(
        [directory / "run.sh"],
        env={"PATH": os.environ["PATH"], **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_record_runs_with_mlir_alone(
    name: str, recorded: tuple[Path, dict[str, int]], harl_mlir: Command, tmp_path: Path
) -> None:
    database, numbers = recorded
    made = harl_mlir("reproduce", numbers[name], "-o", "r", "--db", database, "--json")
    assert made.exit_code == 0, made.err
    files = {"kernel.mlir", "run.sh", "README.txt"} | ({"schedule.mlir"} if name != "untuned" else set())
    assert {path.name for path in (tmp_path / "r").iterdir()} == files
    assert {Path(path).name for path in made.object["written"]} == files
    ran = _run(tmp_path / "r")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "wrong numbers in all: 0" in ran.stdout
    assert re.search(r"seconds of one call, .*: \d", ran.stdout)
    assert "median 1e-06 s" in ran.stdout
    text = (tmp_path / "r" / "README.txt").read_text()
    assert this_processor().name in text
    assert f"record:        {numbers[name]}" in text


def test_wrong_numbers_are_found(
    recorded: tuple[Path, dict[str, int]], harl_mlir: Command, tmp_path: Path
) -> None:
    database, numbers = recorded
    assert harl_mlir("reproduce", numbers["untuned"], "-o", "r", "--db", database).exit_code == 0
    kernel = tmp_path / "r" / "kernel.mlir"
    kernel.write_text(_with_spoilt(kernel.read_text()))
    ran = _run(tmp_path / "r")
    assert ran.returncode == 1
    assert "FAILED: there are wrong numbers" in ran.stdout


def _with_spoilt(text: str) -> str:
    """The program with another value in one place of the kernel's first argument."""
    call = re.search(r"( *)(%\w+) = call @kernel\((%\w+), ", text)
    assert call is not None
    indent, result, argument = call.groups()
    spoil = (
        f"{indent}%spoilt_at = arith.constant 0 : index\n"
        f"{indent}%spoilt_by = arith.constant 77 : i32\n"
        f"{indent}%spoilt = tensor.insert %spoilt_by into {argument}[%spoilt_at, %spoilt_at]"
        " : tensor<24x40xi32>\n"
        f"{indent}{result} = call @kernel(%spoilt, "
    )
    return text[: call.start()] + spoil + text[call.end() :]


def test_a_failure_is_shown_again(
    recorded: tuple[Path, dict[str, int]], harl_mlir: Command, tmp_path: Path
) -> None:
    database, numbers = recorded
    made = harl_mlir("reproduce", numbers["failed"], "-o", "r", "--db", database)
    assert made.exit_code == 0, made.err
    ran = _run(tmp_path / "r")
    assert ran.returncode == 1
    assert "FAILED: the schedule cannot be applied" in ran.stdout
    assert "recorded: failed (transform): cannot be vectorised\n" in ran.stdout
    assert "error:" in ran.stderr
    assert "mlir-opt should refuse" in (tmp_path / "r" / "README.txt").read_text()


def test_missing_tools_are_said(
    recorded: tuple[Path, dict[str, int]], harl_mlir: Command, tmp_path: Path
) -> None:
    database, numbers = recorded
    assert harl_mlir("reproduce", numbers["untuned"], "-o", "r", "--db", database).exit_code == 0
    ran = _run(tmp_path / "r", MLIR_RUNNER="no-such-tool")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "no-such-tool is missing" in ran.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("script", "which the database does not hold"),
        ("old", "of which this version makes other schedules"),
        ("unknown", "no facts of the task"),
    ],
)
def test_what_cannot_be_reproduced_is_said(
    name: str, said: str, recorded: tuple[Path, dict[str, int]], harl_mlir: Command, tmp_path: Path
) -> None:
    database, numbers = recorded
    run = harl_mlir("reproduce", numbers[name], "-o", "r", "--db", database)
    assert (run.exit_code, len(run.err.splitlines())) == (1, 1)
    assert said in run.err
    assert not (tmp_path / "r").exists()


def test_a_directory_with_files_is_left_alone(
    recorded: tuple[Path, dict[str, int]], harl_mlir: Command, tmp_path: Path
) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "mine").write_text("mine")
    run = harl_mlir("reproduce", "1", "-o", "r", "--db", recorded[0])
    assert run.exit_code == 1
    assert "it is not empty" in run.err
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["mine"]


# Explaining.


def test_every_sketch_is_explained(
    recorded: tuple[Path, dict[str, int]], harl_mlir: Command, tmp_path: Path
) -> None:
    database, numbers = recorded
    for name in NAMES:
        run = harl_mlir("explain", numbers[name], "--db", database, "--json")
        assert run.exit_code == 0, run.err
        (schedule,) = run.object["schedules"]
        assert schedule["record"] == numbers[name]
        if name == "untuned":
            assert schedule["decisions"] == schedule["nest"] == []
            continue
        assert schedule["nest"][0]["text"].startswith("for ")
        assert all(decision["meaning"] for decision in schedule["decisions"])
        for decision in schedule["decisions"]:
            assert decision["name"] == "nest" or decision["value"] in decision["legal"]


def test_a_library_is_explained_from_records_or_its_kernel(harl_mlir: Command, tmp_path: Path) -> None:
    (tmp_path / "k.mlir").write_text(KERNEL)
    words = ("--function", "product", "--agent", "random", "--trials", "4", "--db", "m.db", "--json")
    tuned = harl_mlir("tune", "k.mlir", *words)
    assert tuned.exit_code == 0, tuned.err
    task = max(tuned.object["tasks"], key=lambda each: each["flops"])

    run = harl_mlir("explain", "k.schedules.mlir", "--db", "m.db", "--json")
    assert run.exit_code == 0, run.err
    schedule = next(s for s in run.object["schedules"] if s["key"] == task["key"])
    assert schedule["seconds"] == task["best_seconds"]
    assert schedule["stage"] == "final"
    assert schedule["nest"]
    by_key = harl_mlir("explain", task["key"][:8], "--db", "m.db", "--json").object["schedules"][0]
    assert by_key["decisions"] == schedule["decisions"]

    other = harl_mlir("explain", "k.schedules.mlir")
    assert other.exit_code == 0, other.err
    assert "name the kernel with --kernel" in other.out
    assert "rows = " in other.out
    from_kernel = harl_mlir("explain", "k.schedules.mlir", "--kernel", "k.mlir", "--json")
    assert from_kernel.exit_code == 0, from_kernel.err
    found = next(s for s in from_kernel.object["schedules"] if s["key"] == task["key"])
    assert (found["nest"], found["record"], found["missing"]) == (schedule["nest"], None, None)
    assert not list((tmp_path / "cache").rglob("*.db"))


def test_for_people(recorded: tuple[Path, dict[str, int]], harl_mlir: Command) -> None:
    database, numbers = recorded
    run = harl_mlir("explain", numbers["contraction"], "--db", database)
    assert run.exit_code == 0, run.err
    assert f"record {numbers['contraction']}, trial: 1 us" in run.out
    assert re.search(r"for m in 0\.\.24", run.out)
    assert "C[m, n] += A[m, k] * B[k, n]" in run.out
    assert "rows of the register tile" in run.out
    assert "      other values: not measured" in run.out
    failed = harl_mlir("explain", numbers["failed"], "--db", database)
    assert "failed (transform: cannot be vectorised)" in failed.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "none.mlir"), "there is no such file"),
        (("explain", "12"), "there is no such database"),
        (("explain", "12", "--kernel", "k.mlir"), "use --kernel with a library only"),
        (("explain", "script.mlir"), "this is no schedule library"),
        (("reproduce", "12", "-o", "r"), "there is no such database"),
        (("reproduce", "none.mlir", "-o", "r", "--db", "none.db"), "there is no such database"),
    ],
)
def test_refusals(words: tuple[str, ...], said: str, harl_mlir: Command, tmp_path: Path) -> None:
    (tmp_path / "script.mlir").write_text(
        "module attributes {transform.with_named_sequence} {\n"
        "  transform.named_sequence @__transform_main(%root: !transform.any_op) { transform.yield }\n}\n"
    )
    run = harl_mlir(*words)
    assert run.exit_code in (1, 2)
    assert len(run.err.splitlines()) == 1
    assert said in run.err
    assert json.loads(harl_mlir(*words, "--json").out)["status"] == "error"
    assert not list(tmp_path.rglob("*.db"))
