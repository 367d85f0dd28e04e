"""Libraries and scripts of every bad kind, given to every command that takes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.kernels import KERNELS
from tests.hostile.libraries import SCRIPTS, changed

COMMANDS = {
    "apply": ("apply", "good.mlir", "--library", "l.mlir"),
    "time": ("time", "good.mlir", "--library", "l.mlir"),
    "export": ("export", "good.mlir", "--library", "l.mlir", "-o", "out"),
    "explain": ("explain", "l.mlir"),
    "tune": ("tune", "good.mlir", "--schedule", "l.mlir", "--trials", "0", "--agent", "default"),
}
NAMES = tuple(
    changed("harl.library = 1 : i64 transform.named_sequence @schedule_0123456789abcdef attributes {\n")
)


@pytest.mark.parametrize(("number", "name"), list(enumerate(SCRIPTS)))
def test_scripts(number: int, name: str, tell: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "l.mlir").write_text(SCRIPTS[name])
    for command in ("apply", ("time", "export", "explain", "tune")[number % 4]):
        told = tell(*COMMANDS[command])
        if (name, command) != ("a knob that is not selected", "tune"):
            assert told.exit_code == 1


@pytest.mark.parametrize(("number", "name"), list(enumerate(NAMES)))
def test_changed_libraries(
    number: int, name: str, tell: Callable[..., Any], library: str, tmp_path: Path
) -> None:
    assert tell("apply", "good.mlir", "--library", _written(tmp_path, library)).exit_code == 0
    _written(tmp_path, changed(library)[name])
    assert tell(*COMMANDS["apply"]).exit_code == 1
    told = tell(*COMMANDS[("time", "export", "explain")[number % 3]])
    # What fails on an op, or matches none, can still be explained.
    assert told.exit_code == 1 or number % 3 == 2


def _written(directory: Path, text: str) -> Path:
    (directory / "l.mlir").write_text(text)
    return directory / "l.mlir"


@pytest.mark.parametrize("name", [name for n, name in enumerate(KERNELS) if n % 3 == 0])
def test_what_is_no_transform_module(name: str, tell: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "l.mlir").write_bytes(KERNELS[name])
    told = tell(*COMMANDS[sorted(COMMANDS)[len(name) % len(COMMANDS)]])
    if name != "transform ops beside it":
        assert told.exit_code == 1
        assert "l.mlir:" in told.sentence
