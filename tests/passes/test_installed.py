"""The installed package: a C++ project outside this tree finds it, builds with it and schedules a kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.passes.built import ROOT, build, driver

_OUTSIDE = Path(__file__).parent / "outside"
_RUNNER = "mlir-runner-22"
_TOOLS = ("cmake", "c++", _RUNNER)


def run(*command: object, **variables: str) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=300, cwd=ROOT, env={**os.environ, **variables}
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.skipif(not all(map(shutil.which, _TOOLS)), reason=f"needs {', '.join(_TOOLS)}")
def test_a_project_outside_uses_the_installed_package(tmp_path: Path) -> None:
    driver()
    prefix, made = tmp_path / "prefix", tmp_path / "build"
    run("cmake", "--install", build(), "--prefix", prefix)
    run("cmake", "-S", _OUTSIDE, "-B", made, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", made)
    source = ROOT / "lit/library/matmul.mlir"
    kernel, library, lowered = (tmp_path / name for name in ("k.mlir", "l.mlir", "o.mlir"))
    kernel.write_text(source.read_text() + (ROOT / "lit/library/Inputs/numbers.mlir").read_text())
    library.write_text(run(sys.executable, ROOT / "lit/tools/write_library.py", kernel))
    lowered.write_text(run(made / "schedule", kernel, library))
    number = run(_RUNNER, "-e", "main", "--entry-point-result=i64", lowered).strip()
    assert f"// NUMBERS: {{{{^}}}}{number}{{{{$}}}}" in source.read_text()
    # What is installed works where it is.
    options = f"--harl-apply-schedules=library={library} fail-if-none=true"
    tuned = run(prefix / "bin" / "harl-opt", options, kernel)
    assert "linalg.matmul" not in tuned
    assert "vector.contract" in tuned


@pytest.mark.skipif(shutil.which("ctest") is None, reason="needs ctest")
def test_ctest_runs_the_tests_in_lit() -> None:
    driver()
    out = run("ctest", "--test-dir", build(), "--verbose", LIT_FILTER="passes/apply_refused")
    if "Start 1:" not in out:
        pytest.skip("the build was configured without lit")
    assert "PASS: harl_mlir :: passes/apply_refused.mlir" in out
