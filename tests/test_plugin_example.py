"""The example plug-in, installed as users do: its sketch, agent and runner take the way of our own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import Record
from tests.conftest import ROOT, Run

KERNEL = """
func.func @product(%a: tensor<24x16xf32>, %b: tensor<16x32xf32>) -> tensor<24x32xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<24x32xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<24x32xf32>) -> tensor<24x32xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<24x16xf32>, tensor<16x32xf32>)
                     outs(%filled : tensor<24x32xf32>) -> tensor<24x32xf32>
  return %0 : tensor<24x32xf32>
}
"""
HALF = KERNEL.replace("f32", "f16")
"""Sums in half precision: under strict accuracy none of our own sketches takes them."""
STRICT = ("--accuracy", "strict")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the plug-in installed; pip builds where the source is, so that is copied."""
    source, target = tmp_path_factory.mktemp("plugin") / "source", tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "examples/plugin", source)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-index", "--target", str(target), str(source)], check=True, timeout=120)
    return target


@pytest.fixture
def run(harl_mlir: Callable[..., Run], environment: dict[str, str], site: Path) -> Callable[..., Run]:
    environment["PYTHONPATH"] += f":{site}"
    return harl_mlir


def test_its_names_are_shown(run: Callable[..., Run]) -> None:
    words = " ".join(run("tune", "--help").out.split())
    assert "looptune, default, coordinates (harl)" in words
    assert "one of local, thrice (local)" in words


def test_doctor_tells_of_it(run: Callable[..., Run]) -> None:
    found = run("doctor", "--json").object["plugins"]
    assert found == [
        {"kind": "sketch", "name": "row_blocks", "distribution": "harl-mlir-example 1.0"},
        {"kind": "agent", "name": "coordinates", "distribution": "harl-mlir-example 1.0"},
        {"kind": "runner", "name": "thrice", "distribution": "harl-mlir-example 1.0"},
    ]


def test_sketch_agent_and_runner_tune_together(run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "k.mlir").write_text(KERNEL)
    words = ("--agent", "coordinates", "--runner", "thrice", "--trials", "8", "--seconds", "60")
    ended = run("tune", "k.mlir", *words, "--db", "m.db", "--json")
    assert ended.exit_code == 0, ended.err
    assert "warning" not in ended.err
    (task,) = ended.object["tasks"]
    assert not set(task["failures"]) - {"too_slow"}
    with Database(tmp_path / "m.db") as database:
        (environment,) = database.environments()
        records = database.records(task["key"], environment)
    assert environment.processor == f"{this_processor().name} by thrice"
    assert {record.agent for record in records} == {"coordinates"}
    trials = [record for record in records if record.stage == "trial"]
    assert len(trials) == task["trials"]
    _check_row_blocks([record for record in trials if record.candidate.sketch == "row_blocks"])


def _check_row_blocks(records: list[Record]) -> None:
    """The default was measured, and whatever was measured was right: it has a time, or was only slow."""
    assert records
    assert {record.candidate.version for record in records} == {1}
    first = records[0]
    assert first.candidate.assignment == {"rows": 12, "columns": 32}
    assert first.measurement.ok
    for record in records:
        assert 24 % record.candidate.number("rows") == 0
        failure = record.measurement.failure
        assert failure is None or failure.kind == "too_slow"


def test_every_candidate_of_its_sketch_is_right(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    from harl_mlir_example.space import space as row_blocks  # type: ignore[import-not-found]

    checked = 0
    with Pool(accuracy="strict") as pool:
        for kernel, rows, columns in ((KERNEL, 6, 4), (HALF, 4, 6)):
            small = kernel.replace("24x", f"{rows}x").replace("x32x", f"x{columns}x")
            (task,) = pool.analyse(small, "k.mlir").tasks
            space = row_blocks(task, this_processor(), "strict")
            for values in product(*(decision.values for decision in space.decisions)):
                candidate = space.candidate(dict(zip(("rows", "columns"), values, strict=True)))
                assert space.is_legal(candidate)
                assert pool.verify(task, candidate, run=True) is None
                checked += 1
    assert checked == 3 * 3 + 2 * 4


def test_its_worker_s_half_stays_in_the_worker(
    environment: dict[str, str], site: Path, tmp_path: Path
) -> None:
    (tmp_path / "k.mlir").write_text(HALF)
    program = (
        "import sys; from harl_mlir.cli.main import main\n"
        "assert main(['tune', 'k.mlir', '--trials', '0', '--accuracy', 'strict']) == 0\n"
        "print([name in sys.modules for name in ('torch_mlir', 'harl_mlir_example.space',"
        " 'harl_mlir_example.schedule', 'harl_mlir_example.agent')])"
    )
    environment["PYTHONPATH"] += f":{site}"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=60,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == "[False, True, False, False]"


def test_its_agent_is_compared_with_ours(run: Callable[..., Run], tmp_path: Path) -> None:
    words = ("--agents", "coordinates,random", "--seeds", "2", "--trials", "8", "--json", "out.json")
    ended = run("compare", "--replay", "skinny", *words)
    assert ended.exit_code == 0, ended.err
    assert set(json.loads((tmp_path / "out.json").read_text())["agents"]) == {"coordinates", "random"}


def test_an_op_that_only_its_sketch_takes_gets_its_schedule(run: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "k.mlir").write_text(HALF)
    ended = run("tune", "k.mlir", "--trials", "0", "--check", *STRICT, "-o", "tuned.mlir", "--json")
    assert ended.exit_code == 0, ended.err
    (task,) = ended.object["tasks"]
    assert (task["sketch"], task["checked"]) == ("row_blocks", True)
    assert 'harl.sketch = "row_blocks 1"' in (tmp_path / "k.schedules.mlir").read_text()
    assert "scf.for" in (tmp_path / "tuned.mlir").read_text()


def test_a_library_with_its_schedules_needs_it_no_more(
    run: Callable[..., Run], environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "k.mlir").write_text(HALF)
    assert run("tune", "k.mlir", "--trials", "0", *STRICT, "-o", "tuned.mlir").exit_code == 0
    environment["PYTHONPATH"] = str(ROOT)
    applied = run("apply", "k.mlir", "--library", "k.schedules.mlir")
    assert applied.out == (tmp_path / "tuned.mlir").read_text()
