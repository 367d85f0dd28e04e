"""`tune` as users and programs run it: interrupted, killed, resumed, beside another, on a bad database."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MATMUL = """
func.func @matmul(%a: tensor<96x64xf32>, %b: tensor<64x80xf32>) -> tensor<96x80xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<96x80xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<96x80xf32>) -> tensor<96x80xf32>
  %c = linalg.matmul ins(%a, %b : tensor<96x64xf32>, tensor<64x80xf32>)
                     outs(%init : tensor<96x80xf32>) -> tensor<96x80xf32>
  return %c : tensor<96x80xf32>
}
"""
DYNAMIC = """
func.func @scale(%x: tensor<?x?xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %r = linalg.add ins(%x, %x : tensor<?x?xf32>, tensor<?x?xf32>) outs(%y : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}
"""
QUICK = ("--agent", "random", "--trials", "3", "--seconds", "30", "--db", "m.db")
LONG = ("tune", "k.mlir", "--agent", "random", "--trials", "100000", "--seconds", "100", "--db", "m.db")


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """A small matmul in the working directory."""
    path = tmp_path / "k.mlir"
    path.write_text(MATMUL)
    return path


def rows(path: Path, stage: str = "trial") -> int:
    with sqlite3.connect(path) as connection:
        query = "SELECT count(*) FROM record WHERE stage = ?"
        return int(connection.execute(query, (stage,)).fetchone()[0])


def started(directory: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harl_mlir", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
        env=environment,
    )


def wait_for_rows(path: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if path.exists() and rows(path) >= count:
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.05)
    raise AssertionError("nothing was measured in a minute")


def test_the_summary_for_people(harl_mlir: Callable[..., Any], kernel: Path, tmp_path: Path) -> None:
    run = harl_mlir("tune", kernel, *QUICK, "-o", "out.mlir")
    assert run.exit_code == 0, run.err
    assert "GFLOP/s" in run.out
    assert "over untuned" in run.out
    assert "wrote k.schedules.mlir" in run.out
    assert "wrote out.mlir" in run.out
    assert "3 trials" in run.err
    assert rows(tmp_path / "m.db") == 3


def test_a_second_run_starts_from_the_first(
    harl_mlir: Callable[..., Any], kernel: Path, tmp_path: Path
) -> None:
    first = harl_mlir("tune", kernel, *QUICK, "--json").object["tasks"][0]
    second = harl_mlir("tune", kernel, *QUICK, "--seed", "1", "--json").object["tasks"][0]
    assert first["key"] == second["key"]
    assert second["trials"] == 3
    assert second["default_seconds"] is not None
    with sqlite3.connect(tmp_path / "m.db") as connection:
        query = "SELECT count(DISTINCT sketch || choices) FROM record WHERE stage = 'trial'"
        assert connection.execute(query).fetchone()[0] == 6


def test_a_time_of_one_accuracy_is_not_used_for_the_other(
    harl_mlir: Callable[..., Any], kernel: Path, tmp_path: Path
) -> None:
    words = ("tune", kernel, "--agent", "default", "--db", "m.db")
    counts: list[int] = []
    for accuracy in ("reassociate", "strict", "reassociate", "strict"):
        run = harl_mlir(*words, "--accuracy", accuracy)
        assert run.exit_code == 0, run.err
        counts.append(rows(tmp_path / "m.db"))
        assert f'harl.accuracy = "{accuracy}"' in (tmp_path / "k.schedules.mlir").read_text()
    assert 0 < counts[0] < counts[1] == counts[2] == counts[3]
    exact = harl_mlir("time", kernel, "--library", "k.schedules.mlir", "--accuracy", "strict", "--json")
    assert [f["seconds_median"] is not None for f in exact.object["functions"]] == [True, True]
    harl_mlir(*words)
    fused = harl_mlir("time", kernel, "--library", "k.schedules.mlir", "--accuracy", "strict")
    assert "matmul (tuned): wrong_result: " in fused.out


def test_what_strict_cannot_tune_is_said(harl_mlir: Callable[..., Any], kernel: Path) -> None:
    kernel.write_text("""
func.func @total(%x: tensor<1000xf32>, %y: tensor<f32>) -> tensor<f32> {
  %r = linalg.reduce ins(%x : tensor<1000xf32>) outs(%y : tensor<f32>) dimensions = [0]
    (%a: f32, %b: f32) { %s = arith.addf %a, %b : f32 linalg.yield %s : f32 }
  return %r : tensor<f32>
}
""")
    assert harl_mlir("tune", kernel, *QUICK).exit_code == 0
    run = harl_mlir("tune", kernel, *QUICK, "--accuracy", "strict")
    assert run.exit_code == 1
    assert "no sketch keeps its arithmetic as it is (--accuracy strict)" in run.err


def test_approximate_functions_pass_the_check(
    harl_mlir: Callable[..., Any], kernel: Path, tmp_path: Path
) -> None:
    kernel.write_text("""
func.func @both(%x: tensor<64x96xf32>) -> tensor<64x96xf32> {
  %e = tensor.empty() : tensor<64x96xf32>
  %r = linalg.map ins(%x : tensor<64x96xf32>) outs(%e : tensor<64x96xf32>) (%v: f32, %o: f32) {
    %t = math.tanh %v : f32
    %s = math.erf %t : f32
    linalg.yield %s : f32
  }
  return %r : tensor<64x96xf32>
}
""")
    run = harl_mlir("tune", kernel, *QUICK, "--accuracy", "approximate", "--json")
    (task,) = run.object["tasks"]
    assert (task["trials"], task["failures"]) == (3, {})
    assert 'harl.accuracy = "approximate"' in (tmp_path / "k.schedules.mlir").read_text()


def test_the_same_seed_proposes_the_same(harl_mlir: Callable[..., Any], kernel: Path, tmp_path: Path) -> None:
    def choices(database: str) -> list[str]:
        assert harl_mlir("tune", kernel, *QUICK[:-1], database).exit_code == 0
        with sqlite3.connect(tmp_path / database) as connection:
            query = "SELECT choices FROM record WHERE stage = 'trial' ORDER BY id"
            return [row[0] for row in connection.execute(query)]

    assert choices("a.db") == choices("b.db")


@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
def test_an_interrupt_writes_the_best_so_far(
    numbers: list[int], kernel: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    words = (
        "tune",
        "k.mlir",
        "--agent",
        "random",
        "--trials",
        "100000",
        "--seconds",
        "100",
        "--db",
        "m.db",
        "--json",
    )
    with started(tmp_path, environment, *words) as tuner:
        wait_for_rows(tmp_path / "m.db", 3)
        for number in numbers:
            tuner.send_signal(number)
            # The next one comes while the library is written: its worker takes longer to start.
            time.sleep(0.1)
        asked = time.monotonic()
        out, err = tuner.communicate(timeout=60)
        assert time.monotonic() - asked < 10
    assert tuner.returncode == 130, err
    result = json.loads(out)
    assert result["status"] == "interrupted"
    assert result["tasks"][0]["sketch"] is not None
    assert result["tasks"][0]["trials"] in (rows(tmp_path / "m.db"), rows(tmp_path / "m.db") - 1)
    assert "transform" in (tmp_path / "k.schedules.mlir").read_text()


def test_a_killed_run_loses_nothing_and_the_next_goes_on(
    kernel: Path, tmp_path: Path, environment: dict[str, str], harl_mlir: Callable[..., Any]
) -> None:
    with started(tmp_path, environment, *LONG) as tuner:
        wait_for_rows(tmp_path / "m.db", 3)
        tuner.kill()
    held = rows(tmp_path / "m.db")
    assert held >= 3
    run = harl_mlir("tune", kernel, *QUICK, "--json")
    assert run.exit_code == 0, run.err
    assert rows(tmp_path / "m.db") == held + 3


def test_two_tuners_share_a_database(kernel: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    tuners = [
        started(tmp_path, environment, "tune", "k.mlir", *QUICK, "--seed", seed, "--library", f"{seed}.mlir")
        for seed in ("1", "2")
    ]
    for tuner in tuners:
        _, err = tuner.communicate(timeout=120)
        assert tuner.returncode == 0, err
    assert rows(tmp_path / "m.db") == 6


def test_a_database_that_fails_on_the_way_costs_no_result(
    kernel: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    words = (
        "tune",
        "k.mlir",
        "--agent",
        "random",
        "--trials",
        "100000",
        "--seconds",
        "100",
        "--db",
        "m.db",
        "--json",
    )
    with started(tmp_path, environment, *words) as tuner:
        wait_for_rows(tmp_path / "m.db", 3)
        with sqlite3.connect(tmp_path / "m.db", timeout=30) as connection:
            connection.execute("DROP TABLE record")
        connection.close()
        out, err = tuner.communicate(timeout=60)
    assert tuner.returncode == 1
    result = json.loads(out)
    assert result["status"] == "error"
    assert result["error"]["place"] == "m.db"
    assert "damaged" in result["error"]["message"]
    assert result["tasks"][0]["best_seconds"] is not None
    assert "transform" in (tmp_path / "k.schedules.mlir").read_text()
    assert "Traceback" not in err


def test_the_main_process_imports_neither_mlir_nor_for_random_the_learners(
    kernel: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    script = (
        "import sys\n"
        "from harl_mlir.cli.main import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "held = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(held & {'torch_mlir', 'torch', 'xgboost'}))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, "tune", "k.mlir", *QUICK, "-o", "out.mlir"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "[]"


REFUSED = {
    "empty": ("", "k.mlir"),
    "no linalg": ("func.func @f() { return }", "linalg"),
    "malformed": ("func.func @f( {", "k.mlir:1:"),
    "unknown op": ("func.func @f() {\n  nothing.such\n  return\n}", "k.mlir:2:"),
    "dynamic": (DYNAMIC, "--shape"),
    "not mlir": ("int main(void) { return 0; }", "k.mlir:1:"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_one_sentence_with_its_place(
    name: str, harl_mlir: Callable[..., Any], kernel: Path, tmp_path: Path
) -> None:
    text, sign = REFUSED[name]
    kernel.write_text(text)
    run = harl_mlir("tune", "k.mlir", *QUICK, "--json")
    assert run.exit_code == 1
    assert run.object["status"] == "error"
    assert sign in f"{run.object['error']['place']}: {run.object['error']['message']}"
    assert "Traceback" not in run.err
    assert len(run.err.splitlines()) == 1
    assert not (tmp_path / "k.schedules.mlir").exists()


def test_an_unknown_function_is_refused_with_the_known_ones(
    harl_mlir: Callable[..., Any], kernel: Path
) -> None:
    run = harl_mlir("tune", kernel, *QUICK, "--function", "nothing", "--json")
    assert run.exit_code == 1
    assert "nothing" in run.object["error"]["message"]
    assert "matmul" in run.object["error"]["message"]


def test_dynamic_shapes_are_made_static(harl_mlir: Callable[..., Any], kernel: Path) -> None:
    kernel.write_text(DYNAMIC)
    words = ("--shape", "x=64x48", "--shape", "1=64x48")
    run = harl_mlir("tune", kernel, *QUICK, *words, "-o", "out.mlir", "--json")
    assert run.exit_code == 0, run.err
    assert run.object["tasks"][0]["flops"] == 64 * 48
