"""Where the built C++ passes are; tests that need them are skipped where they are not built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def build() -> Path:
    """The build directory: `$HARL_PASSES_BUILD`, or that of `cmake --workflow --preset passes`."""
    return Path(os.environ.get("HARL_PASSES_BUILD", ROOT / "build" / "passes"))


def driver() -> Path:
    """harl-opt."""
    return _existing(build() / "bin" / "harl-opt")


def plugin() -> Path:
    """HarlPasses.so, the plugin of mlir-opt."""
    return _existing(build() / "lib" / "HarlPasses.so")


def _existing(file: Path) -> Path:
    if not file.exists():
        pytest.skip("the C++ passes are not built; `cmake --workflow --preset passes` builds them")
    return file
