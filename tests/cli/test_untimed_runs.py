"""`tune --trials 0`: schedules without a measurement, and what is said of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TYPES = "tensor<96x64xf32>, tensor<64x80xf32>"
MATMUL = f"""
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<96x80xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<96x80xf32>) -> tensor<96x80xf32>
  %c = linalg.matmul ins(%a, %b : {TYPES}) outs(%i : tensor<96x80xf32>) -> tensor<96x80xf32>
"""
KERNEL = f"""
func.func @product(%a: tensor<96x64xf32>, %b: tensor<64x80xf32>) -> tensor<96x80xf32> {{
  {MATMUL}
  return %c : tensor<96x80xf32>
}}
func.func @twice(%x: tensor<64x48xf32>, %y: tensor<64x48xf32>) -> tensor<64x48xf32> {{
  %r = linalg.add ins(%x, %x : tensor<64x48xf32>, tensor<64x48xf32>) outs(%y : tensor<64x48xf32>)
    -> tensor<64x48xf32>
  return %r : tensor<64x48xf32>
}}
"""
SCRIPT = """
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.structured.match ops{["linalg.matmul"]} in %root
      : (!transform.any_op) -> !transform.any_op
    %rows = transform.tune.knob<"rows"> options = [SIZES] -> !transform.param<i64>
    %t, %l = transform.structured.tile_using_for %mm tile_sizes [%rows]
      : (!transform.any_op, !transform.param<i64>) -> (!transform.any_op, !transform.any_op)
    VECTORIZE
    transform.yield
  }
}
"""
UNTIMED = ("--trials", "0", "--db", "m.db")


@pytest.fixture(autouse=True)
def kernel(tmp_path: Path) -> Path:
    """Two functions in the working directory."""
    path = tmp_path / "k.mlir"
    path.write_text(KERNEL)
    return path


def test_the_choice_is_written_without_a_time_or_a_row(harl_mlir: Callable[..., Any], tmp_path: Path) -> None:
    run = harl_mlir("tune", "k.mlir", *UNTIMED, "-o", "out.mlir", "--json")
    assert run.exit_code == 0, run.err
    said = run.object
    assert [task["function"] for task in said["tasks"]] == ["product", "twice"]
    for task in said["tasks"]:
        assert task["sketch"] is not None
        assert (task["checked"], task["trials"], task["failures"]) == (False, 0, {})
        assert {task[f"{time}_seconds"] for time in ("best", "default", "baseline")} == {None}
        assert task["gflops"] is None
    assert said["written"] == ["k.schedules.mlir", "out.mlir"]
    assert 0 < said["decide_seconds"] < said["wall_seconds"]
    assert said["first_measurement_seconds"] is None
    assert said["verifying_seconds"] > 0
    assert "unchecked" in run.err
    assert f"nothing was timed; decided in {said['decide_seconds']:.2f} s, " in run.err
    assert not (tmp_path / "m.db").exists()
    assert "vector<" in (tmp_path / "out.mlir").read_text()


def test_all_agents_take_the_same_choice(harl_mlir: Callable[..., Any], tmp_path: Path) -> None:
    libraries = set()
    for agent in ("default", "harl"):
        assert harl_mlir("tune", "k.mlir", *UNTIMED, "--agent", agent).exit_code == 0
        libraries.add((tmp_path / "k.schedules.mlir").read_text())
    assert len(libraries) == 1


def test_a_check_runs_each_schedule(harl_mlir: Callable[..., Any]) -> None:
    run = harl_mlir("tune", "k.mlir", *UNTIMED, "--check", "--accuracy", "strict", "--json")
    assert run.exit_code == 0, run.err
    assert [task["checked"] for task in run.object["tasks"]] == [True, True]
    assert "unchecked" not in run.err
    run = harl_mlir(
        "tune", "k.mlir", "--trials", "1", "--db", "m.db", "--check", "--agent", "default", "--json"
    )
    assert run.exit_code == 0, run.err
    # One trial: the second task was not reached.
    assert [task["checked"] for task in run.object["tasks"]] == [True, None]
    assert run.object["decide_seconds"] > 0


def test_a_script_gets_the_defaults_of_its_knobs(harl_mlir: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "s.mlir").write_text(SCRIPT.replace("SIZES", "8, 16").replace("VECTORIZE", ""))
    words = ("tune", "k.mlir", "--function", "product", "--schedule", "s.mlir", *UNTIMED, "--json")
    run = harl_mlir(*words, "--check")
    assert run.exit_code == 0, run.err
    assert run.object["tasks"][0]["checked"] is True
    assert "= 8 : i64" in (tmp_path / "k.schedules.mlir").read_text()
    (tmp_path / "k.schedules.mlir").unlink()

    # 7 does not divide 96, and the rest is no static shape.
    vectorize = "transform.structured.vectorize %t : !transform.any_op"
    (tmp_path / "s.mlir").write_text(SCRIPT.replace("SIZES", "7, 8").replace("VECTORIZE", vectorize))
    run = harl_mlir(*words)
    assert run.exit_code == 1
    assert "none of the 1 choices tried of this script runs" in run.object["error"]["message"]
    (left,) = run.object["skipped"]
    assert left["reason"].startswith("its schedule is not used (transform: ")
    assert run.object["decide_seconds"] is None
    assert not (tmp_path / "k.schedules.mlir").exists()


def test_an_interrupt_ends_it_with_its_exit_code(tmp_path: Path, environment: dict[str, str]) -> None:
    # The untuned kernel, which strict results are compared with, runs for more than a second.
    large = KERNEL.replace("96x", "1024x").replace("80x", "1024x").replace("64x", "1024x")
    (tmp_path / "k.mlir").write_text(large.partition("func.func @twice")[0])
    words = [sys.executable, "-m", "harl_mlir", "tune", "k.mlir", *UNTIMED, "--json"]
    words += ["--check", "--accuracy", "strict"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as tuner:
        assert tuner.stderr is not None
        tuner.stderr.readline()  # the plan
        tuner.send_signal(signal.SIGINT)
        out, err = tuner.communicate(timeout=60)
    assert tuner.returncode == 130, err
    said = json.loads(out)
    assert (said["status"], said["decide_seconds"]) == ("interrupted", None)
    assert [task for task in said["tasks"] if task["sketch"]] == []
    assert not (tmp_path / "k.schedules.mlir").exists()
