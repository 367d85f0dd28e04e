"""Pipelines that are wrong, and hostile inputs to the passes, through `opt` and `harl-opt`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.kernels import GOOD, KERNELS
from tests.hostile.libraries import SCRIPTS, changed

PIPELINES = (
    "canonicalise",
    "builtin.module(",
    "builtin.module)",
    "builtin.module(canonicalize",
    "builtin.module(func.func(canonicalize)",
    "builtin.module(func.func harl-extract-tasks)",
    "builtin.module(func.func{harl-extract-tasks})",
    "builtin.module(func.func(harl-extract-tasks))",
    "builtin.module(canonicalize{magic=1})",
    "builtin.module(canonicalize{max-iterations=many})",
    "builtin.module(,)",
    "builtin.module(canonicalize,,cse)",
    "builtin.module(harl-apply-schedules)",
    "builtin.module(harl-apply-schedules{library=})",
    "builtin.module(harl-apply-schedules{library=none.mlir})",
    "builtin.module(harl-apply-schedules{library=.})",
    "builtin.module(harl-apply-schedules{library=good.mlir})",
    "builtin.module(harl-apply-schedules{library=other.mlir fail-if-none=true})",
    "builtin.module(harl-apply-schedules{librery=other.mlir})",
    "builtin.module(harl-extract-tasks)",
    "builtin.module(harl-extract-tasks{output-dir=})",
    "builtin.module(harl-extract-tasks{output-dir=good.mlir})",
    "builtin.module(harl-extract-tasks{output-dir=good.mlir/inside})",
    "builtin.module(harl-extract-tasks{output-dir=/proc/kernels})",
    "builtin.module(harl-lower-to-llvm{accuracy=hopeful})",
    "builtin.module(harl-lower-to-llvm{accuracy=})",
    "builtin.module(harl-default{library=none.mlir})",
    "builtin.module(harl-annotate-workloads{x=1})",
    "x" * 5000,
    "builtin.module(" * 200 + ")" * 200,
)


@pytest.fixture
def others(library: str, tmp_path: Path) -> None:
    """A library that matches nothing in `good.mlir`."""
    text = changed(library)["with the schedule of another"]
    (tmp_path / "other.mlir").write_text(text)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_opt(pipeline: str, others: None, tell: Callable[..., Any]) -> None:
    assert tell("opt", "good.mlir", f"--pass-pipeline={pipeline}").exit_code in (1, 2)


HARL_OPT = (
    Path(os.environ.get("HARL_PASSES_BUILD", Path(__file__).parents[2] / "build" / "passes"))
    / "bin"
    / "harl-opt"
)
needs_passes = pytest.mark.skipif(
    not HARL_OPT.exists(),
    reason="the C++ passes are not built; `cmake --workflow --preset passes` builds them",
)


def harl_opt(directory: Path, *words: str) -> str:
    """What `harl-opt` says of an input that it has to refuse."""
    before = sorted(path.name for path in directory.iterdir())
    ended = subprocess.run(
        [HARL_OPT, *words],
        cwd=directory,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 1, f"{ended.returncode}: {ended.stderr[-2000:]}"
    assert "PLEASE submit a bug report" not in ended.stderr
    assert sorted(path.name for path in directory.iterdir()) == before
    return ended.stderr


@needs_passes
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_harl_opt(pipeline: str, others: None, tmp_path: Path) -> None:
    (tmp_path / "good.mlir").write_text(GOOD)
    assert harl_opt(tmp_path, "good.mlir", f"--pass-pipeline={pipeline}").strip()


@needs_passes
@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_in_harl_opt(name: str, tmp_path: Path) -> None:
    (tmp_path / "good.mlir").write_text(GOOD)
    (tmp_path / "l.mlir").write_text(SCRIPTS[name])
    said = harl_opt(
        tmp_path,
        "good.mlir",
        "--pass-pipeline=builtin.module(harl-apply-schedules{library=l.mlir fail-if-none=true})",
    )
    assert "error: " in said


@needs_passes
@pytest.mark.parametrize(
    "name", [name for n, name in enumerate(KERNELS) if n % 5 == 0 and n < 60 and name != "a comment"]
)
def test_kernels_in_harl_opt(name: str, tmp_path: Path) -> None:
    (tmp_path / "k.mlir").write_bytes(KERNELS[name])
    said = harl_opt(tmp_path, "k.mlir", "--pass-pipeline=builtin.module(harl-annotate-workloads)")
    assert "error: " in said
