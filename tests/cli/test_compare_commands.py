"""`record-space` and `compare` as users run them, through the real worker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harl_mlir.lab.recorded import load

KERNEL = """
func.func @product(%a: tensor<16x16xf32>, %b: tensor<16x16xf32>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<16x16xf32>, tensor<16x16xf32>)
                     outs(%c : tensor<16x16xf32>) -> tensor<16x16xf32>
  return %0 : tensor<16x16xf32>
}
"""
Command = Callable[..., Any]


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "product.mlir"
    path.write_text(KERNEL)
    return path


def test_a_space_is_recorded_and_agents_are_compared_on_it(
    harl_mlir: Command, kernel: Path, tmp_path: Path
) -> None:
    words = ("record-space", kernel, "-o", "product.npz", "--points", "10")
    planned = harl_mlir(*words, "--dry-run", "--json")
    assert planned.exit_code == 0, planned.err
    assert not list(tmp_path.glob("product.npz*"))
    recorded = harl_mlir(*words, "--json")
    assert recorded.exit_code == 0, recorded.err
    (task,) = recorded.object["tasks"]
    assert 4 <= task["points"] <= 10
    assert task["values"] == planned.object["tasks"][0]["values"]
    assert task["best_seconds"] > 0
    assert recorded.object["written"] == ["product.npz"]
    assert [path.name for path in tmp_path.glob("product.npz*")] == ["product.npz"]
    recording = load(tmp_path / "product.npz")
    assert recording.tasks[0].points == task["points"]
    assert recording.tasks[0].best_seconds == task["best_seconds"]

    words = ("compare", "--replay", "product.npz", "--agents", "harl,random,greedy", "--seeds", "2")
    compared = harl_mlir(*words, "--trials", "40", "--json", "out.json")
    assert compared.exit_code == 0, compared.err
    assert "median trials to 95 % of the best" in compared.out
    result = json.loads((tmp_path / "out.json").read_text())
    for agent in ("harl", "random", "greedy"):
        assert 1 <= result["agents"][agent]["median_trials_to_95"]["product"] <= 40
    assert (tmp_path / "out.html").read_text().startswith("<!DOCTYPE html>")
    again = harl_mlir(*words, "--trials", "40", "--json", "out.json")
    assert "going on with out.json: 6 runs are there" in again.err
    assert json.loads((tmp_path / "out.json").read_text()) == result


def test_agents_are_compared_live(harl_mlir: Command, kernel: Path, tmp_path: Path) -> None:
    words = ("compare", kernel, "--agents", "random,default", "--seeds", "1", "--trials", "3")
    compared = harl_mlir(*words, "--json", "out.json")
    assert compared.exit_code == 0, compared.err
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["workloads"]["product"]["times"] == "measured"
    assert {run["agent"]: run["trials"] for run in result["runs"]} == {"random": 3, "default": 3}


def test_an_interrupted_recording_is_gone_on_with(
    harl_mlir: Command, kernel: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    words = ["record-space", str(kernel), "-o", "product.npz", "--points", "400"]
    process = subprocess.Popen(
        [sys.executable, "-m", "harl_mlir", *words], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
    )
    journal = tmp_path / "product.npz.journal"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (journal.exists() and journal.read_text().count("\n") > 5):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    held = journal.read_text().splitlines()
    assert len(held) > 5
    refused = harl_mlir("record-space", kernel, "-o", "product.npz", "--points", "20")
    assert refused.exit_code == 1
    assert "journal is of another recording" in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--agents", "harl", "--json", "o.json"), "nothing to compare on"),
        (("--replay", "gone", "--agents", "harl", "--json", "o.json"), "there is no recorded space gone"),
        (("--replay", "--agents", "nobody", "--json", "o.json"), "no agent named 'nobody'"),
        (("--replay", "--agents", "harl,harl", "--json", "o.json"), "is not a list of different names"),
        (("--replay", "--agents", "harl", "--seeds", "0", "--json", "o.json"), "use --seeds 1 or more"),
        (("--replay", "--agents", "harl", "--json", "k.mlir"), "goes to a .json file, not k.mlir"),
        (("--replay", "--agents", "harl"), "--json"),
    ],
)
def test_refusals_of_compare(harl_mlir: Command, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    run = harl_mlir("compare", *words)
    assert run.exit_code in (1, 2)
    assert said in run.err
    assert len(run.err.splitlines()) == 1
    assert not list(tmp_path.glob("*.json"))


def test_value_lists_are_checked(harl_mlir: Command, kernel: Path, tmp_path: Path) -> None:
    values = tmp_path / "values.json"
    for text, said in (
        ('{"contraction": 3}', "these are no value lists"),
        ('{"nothing": {}}', "no sketch nothing applies"),
        ('{"contraction": {"nothing": [1]}}', "no decision nothing"),
    ):
        values.write_text(text)
        run = harl_mlir("record-space", kernel, "-o", "s.npz", "--values", values)
        assert (run.exit_code, len(run.err.splitlines())) == (1, 1)
        assert said in run.err
