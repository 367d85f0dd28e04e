"""MLIR 22's own `mlir-opt`, and a mark for the tests that need it."""

from __future__ import annotations

import shutil
import subprocess

import pytest

_PROGRAM = "mlir-opt-22"
needs_mlir_opt = pytest.mark.skipif(shutil.which(_PROGRAM) is None, reason=f"needs {_PROGRAM}")


def mlir_opt(text: str, *options: str) -> str:
    """What it makes of a module's text."""
    done = subprocess.run(
        [_PROGRAM, *options], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
