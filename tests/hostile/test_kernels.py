"""Kernels of every bad kind, given to `tune` and, in turns, to the other commands that take one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.kernels import DEEP, KERNELS, NOTHING_TO_DO, ODD

TUNE = ("tune", "k.mlir", "--trials", "0", "--agent", "default")
OTHERS = (
    ("apply", "k.mlir", "--library", "library.mlir"),
    ("time", "k.mlir"),
    ("opt", "k.mlir", "--library", "library.mlir"),
    ("export", "k.mlir", "-o", "out"),
    ("record-space", "k.mlir", "-o", "s.npz", "--dry-run"),
)
ACCEPTED = frozenset(
    {
        "a module in a module",
        "a function that calls itself",
        "functions that call each other",
        "a buffer with holes",
        "transform ops beside it",
        "a name of slashes",
        "a name of line ends",
        "a name of quotes",
        "a name of 100000 letters",
        "nested modules",
        "nested types",
        "nested conditions",
        "a long sum in a map",
        "a line of a megabyte",
    }
)
"""Odd, but nothing is wrong with tuning them."""
NO_WORK = frozenset({*NOTHING_TO_DO, "tosa only"})
"""Modules like any others to `opt`."""


@pytest.mark.parametrize("kernel", KERNELS)
def test_tune(kernel: str, tell: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "k.mlir").write_bytes(KERNELS[kernel])
    told = tell(*TUNE)
    assert told.exit_code == (0 if kernel in ACCEPTED else 1), told.sentence
    if told.exit_code:
        assert told.sentence.startswith("k.mlir:")


@pytest.mark.parametrize(("number", "kernel"), list(enumerate(KERNELS)))
def test_the_others(number: int, kernel: str, tell: Callable[..., Any], library: str, tmp_path: Path) -> None:
    (tmp_path / "k.mlir").write_bytes(KERNELS[kernel])
    (tmp_path / "library.mlir").write_text(library)
    command = OTHERS[number % len(OTHERS)]
    if kernel in ACCEPTED and command[0] == "time":
        command = OTHERS[0]  # a clock takes its time where nothing is wrong
    told = tell(*command)
    if kernel not in (NO_WORK if command[0] == "opt" else ()) and kernel not in {*ODD, *DEEP}:
        assert told.exit_code == 1 or kernel in ACCEPTED
    if told.exit_code:
        assert told.sentence.startswith(("k.mlir:", "library.mlir:"))
