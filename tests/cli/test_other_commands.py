"""`apply`, `time` and `doctor` as users and programs run them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MATMUL = """
func.func @matmul(%a: tensor<32x32xf32>, %b: tensor<32x32xf32>, %c: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %d = linalg.matmul ins(%a, %b : tensor<32x32xf32>, tensor<32x32xf32>)
                     outs(%c : tensor<32x32xf32>) -> tensor<32x32xf32>
  return %d : tensor<32x32xf32>
}
"""


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The texts of a kernel and of the library tuned for it."""
    import os
    import subprocess
    import sys

    directory = tmp_path_factory.mktemp("tuned")
    (directory / "k.mlir").write_text(MATMUL)
    root = str(Path(__file__).parent.parent.parent)
    subprocess.run(
        [sys.executable, "-m", "harl_mlir", "tune", "k.mlir", "--agent", "default", "--db", "m.db"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": root},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return MATMUL, (directory / "k.schedules.mlir").read_text()


@pytest.fixture
def files(tuned: tuple[str, str], tmp_path: Path) -> Path:
    """A directory with the kernel, its library and another kernel."""
    (tmp_path / "k.mlir").write_text(tuned[0])
    (tmp_path / "library.mlir").write_text(tuned[1])
    (tmp_path / "other.mlir").write_text(tuned[0].replace("32x32", "48x48"))
    return tmp_path


def test_apply_prints_the_module_and_says_what_matched(harl_mlir: Callable[..., Any], files: Path) -> None:
    run = harl_mlir("apply", "k.mlir", "--library", "library.mlir")
    assert run.exit_code == 0, run.err
    assert "func.func @matmul(" in run.out
    assert "vector<" in run.out
    assert "linalg.matmul: matched" in run.err


def test_apply_writes_a_file_and_one_object(harl_mlir: Callable[..., Any], files: Path) -> None:
    run = harl_mlir("apply", "k.mlir", "--library", "library.mlir", "-o", "out.mlir", "--json")
    assert run.exit_code == 0, run.err
    assert run.object["status"] == "ok"
    assert run.object["written"] == ["out.mlir"]
    assert [(op["op"], op["matched"]) for op in run.object["ops"]] == [("linalg.matmul", True)]
    assert run.object["skipped"] == []
    assert "vector<" in (files / "out.mlir").read_text()


@pytest.mark.parametrize("command", ["apply", "time"])
def test_a_library_for_another_kernel_is_an_error(
    command: str, harl_mlir: Callable[..., Any], files: Path
) -> None:
    run = harl_mlir(command, "other.mlir", "--library", "library.mlir", "--json")
    assert run.exit_code == 1
    assert run.object["error"]["place"] == "other.mlir"
    assert "matches" in run.object["error"]["message"]


@pytest.mark.parametrize("command", ["apply", "time"])
@pytest.mark.parametrize("text", ["module {", "module {}", "func.func @f() { return }"])
def test_a_file_that_is_no_library_is_an_error(
    command: str, text: str, harl_mlir: Callable[..., Any], files: Path
) -> None:
    (files / "bad.mlir").write_text(text)
    run = harl_mlir(command, "k.mlir", "--library", "bad.mlir", "--json")
    assert run.exit_code == 1
    assert "Traceback" not in run.err
    assert run.object["error"]["message"]


def test_time_gives_both_versions(harl_mlir: Callable[..., Any], files: Path) -> None:
    run = harl_mlir("time", "k.mlir", "--library", "library.mlir", "--json")
    assert run.exit_code == 0, run.err
    functions = run.object["functions"]
    assert [(f["name"], f["tuned"]) for f in functions] == [("matmul", False), ("matmul", True)]
    for function in functions:
        assert set(function) == {"name", "seconds_median", "seconds_best", "gflops", "tuned"}
        assert 0 < function["seconds_best"] <= function["seconds_median"]
        assert function["gflops"] == pytest.approx(2 * 32**3 / function["seconds_median"] / 1e9)
    assert run.object["peak_gflops"] > 0


def test_time_for_people(harl_mlir: Callable[..., Any], files: Path) -> None:
    run = harl_mlir("time", "k.mlir")
    assert run.exit_code == 0, run.err
    assert "matmul (untuned): median" in run.out
    assert "% of peak" in run.out


def test_doctor_finds_everything(harl_mlir: Callable[..., Any]) -> None:
    run = harl_mlir("doctor", "--json")
    assert run.exit_code == 0, run.err
    assert run.object["versions"]["torch-mlir"]
    assert run.object["versions"]["LLVM"]
    assert run.object["peak_gflops"] > 0
    assert [lack for lack in run.object["missing"] if lack["needed"]] == []
    assert harl_mlir("doctor").out.splitlines()[-1] == "ready to tune"


CALLER = """
func.func @caller(%a: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %0 = linalg.add ins(%a, %a : tensor<32x32xf32>, tensor<32x32xf32>)
                  outs(%a : tensor<32x32xf32>) -> tensor<32x32xf32>
  %1 = call @matmul(%0, %a, %a)
      : (tensor<32x32xf32>, tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  return %1 : tensor<32x32xf32>
}
"""
HUGE = MATMUL.replace("@matmul", "@huge").replace("32x32", "999999x999999")


def test_time_says_which_functions_it_leaves_out(harl_mlir: Callable[..., Any], files: Path) -> None:
    (files / "more.mlir").write_text(MATMUL + CALLER + HUGE)
    run = harl_mlir("time", "more.mlir", "--json")
    assert run.exit_code == 0, run.err
    assert [f["name"] for f in run.object["functions"]] == ["matmul"]
    caller, huge = run.object["skipped"]
    assert caller["op"] == "@caller"
    assert "calls another" in caller["reason"]
    assert "GiB" in huge["reason"]


def test_a_task_beyond_the_memory_is_left_alone(harl_mlir: Callable[..., Any], files: Path) -> None:
    (files / "more.mlir").write_text(MATMUL + HUGE)
    run = harl_mlir("tune", "more.mlir", "--agent", "default", "--trials", "1", "--db", "m.db", "--json")
    assert run.exit_code == 0, run.err
    assert [task["function"] for task in run.object["tasks"]] == ["matmul"]
    assert "GiB" in run.object["skipped"][0]["reason"]


NEVER_RUNS = """
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %matmul = transform.structured.match ops{["linalg.matmul"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.fuse %matmul tile_sizes [-4]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
"""


def test_a_script_of_which_nothing_runs_is_an_error(harl_mlir: Callable[..., Any], files: Path) -> None:
    (files / "script.mlir").write_text(NEVER_RUNS)
    run = harl_mlir("tune", "k.mlir", "--schedule", "script.mlir", "--db", "m.db", "-o", "out.mlir", "--json")
    assert run.exit_code == 1
    assert run.object["error"]["place"] == "script.mlir"
    assert "runs on the kernel (transform" in run.object["error"]["message"]
    assert not (files / "out.mlir").exists()
