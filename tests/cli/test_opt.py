"""`harl-mlir opt` as users run it; what its passes do is in lit/opt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harl_mlir.cli.main import main
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for

MATMUL = """func.func @f(%a: tensor<32x32xf32>, %c: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %r = linalg.matmul ins(%a, %a : tensor<32x32xf32>, tensor<32x32xf32>) outs(%c : tensor<32x32xf32>)
      -> tensor<32x32xf32>
  return %r : tensor<32x32xf32>
}
"""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a kernel and a library for it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k.mlir").write_text(MATMUL)
    with Pool() as pool:
        (task,) = pool.analyse(MATMUL, "k.mlir").tasks
        library = pool.library([(task, sketches_for(task, this_processor())[0].default())])
    (tmp_path / "s.mlir").write_text(library)
    return tmp_path


def test_a_library_is_applied_and_remarks_tell(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["opt", "k.mlir", "--library", "s.mlir"]) == 0
    out, err = capsys.readouterr()
    assert "vector<" in out
    assert "k.mlir:2:8: remark: matched by @schedule_" in err
    assert "(matmul 32x32x32 f32)" in err


def test_nothing_applied_fails_where_asked_to(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "k.mlir").write_text(MATMUL.replace("32x32", "16x16"))
    assert main(["opt", "k.mlir", "--library", "s.mlir"]) == 0
    assert main(["opt", "k.mlir", "--pass-pipeline=harl-default{library=s.mlir fail-if-none}"]) == 1
    out, err = capsys.readouterr()
    assert "vector<" not in out
    assert out.count("module {") == 1
    assert "k.mlir:2:8: remark: left as it was" in err
    assert "error: k.mlir: no schedule of s.mlir was applied to this module" in err


def test_parts_of_a_file_keep_their_lines(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "k.mlir").write_text(MATMUL + "// -----\n" + MATMUL)
    words = ["opt", "k.mlir", "--split-input-file", "--library", "s.mlir", "-o", "out.mlir"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert (directory / "out.mlir").read_text().count("\n// -----\n") == 1
    assert "k.mlir:2:8: remark" in err
    assert "k.mlir:8:8: remark" in err
    (directory / "k.mlir").write_text(MATMUL + "// -----\n" + "func.func @g() {\n")
    assert main(words) == 1
    assert "k.mlir:7:17: not valid MLIR" in capsys.readouterr().err


def test_json_and_kernels(harl_mlir: Callable[..., Any], directory: Path) -> None:
    pipeline = "--pass-pipeline=harl-extract-tasks{output-dir=kernels},harl-apply-schedules{library=s.mlir}"
    run = harl_mlir("opt", "k.mlir", pipeline, "-o", "out.mlir", "--json")
    assert run.exit_code == 0, run.err
    kernel, module = run.object["written"]
    assert module == "out.mlir"
    assert "linalg.matmul" in (directory / kernel).read_text()
    (remark,) = run.object["remarks"]
    assert (remark["place"], remark["severity"]) == ("k.mlir:2:8", "remark")


def test_a_crash_of_a_pass_is_a_sentence(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # A buffer that is returned twice; harl-lower-to-llvm parts them before.
    (directory / "k.mlir").write_text(
        "func.func @f() -> (memref<4xf32>, memref<4xf32>) {\n"
        "  %m = memref.alloc() : memref<4xf32>\n  return %m, %m : memref<4xf32>, memref<4xf32>\n}\n"
    )
    crashes = "buffer-results-to-out-params{hoist-static-allocs=true modify-public-functions=true}"
    assert main(["opt", "k.mlir", f"--pass-pipeline={crashes}"]) == 1
    err = capsys.readouterr().err
    assert "error: k.mlir: the compiler crashed on it (SIG" in err
    assert main(["opt", "k.mlir", f"--pass-pipeline=func.func(harl-part-equal-results),{crashes}"]) == 0


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (["k.mlir", "-o", "k.mlir"], 2, "FILE and -o both name k.mlir"),
        (
            ["k.mlir", "--library", "s.mlir", "--pass-pipeline", "cse"],
            2,
            "nothing in the pipeline takes schedules",
        ),
        (["k.mlir", "--pass-pipeline", "harl-extract-tasks"], 2, "harl-extract-tasks needs a directory"),
        (
            ["k.mlir", "--library", "k.mlir"],
            1,
            "k.mlir: no transform.named_sequence @__transform_main is here",
        ),
        (
            ["k.mlir", "--pass-pipeline", "harl-extract-tasks{output-dir=s.mlir}"],
            1,
            "s.mlir: no kernels can be",
        ),
        (["none.mlir"], 1, "none.mlir: there is no such file"),
    ],
)
def test_refusals(words: list[str], exit_code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["opt", *words]) == exit_code
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""
    assert len(err.splitlines()) == 1
