"""What the benchmark ran on and with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harl_mlir.processor import this_processor

_PACKAGES = ("harl_mlir", "torch-mlir", "torch", "numpy", "xgboost-cpu")


def this_machine(core: int) -> dict[str, Any]:
    """Processor, memory, system and the versions of what our contenders use."""
    processor = this_processor()
    return {
        "processor": processor.name,
        "features": list(processor.features),
        "l1_bytes": processor.l1_bytes,
        "l2_bytes": processor.l2_bytes,
        "l3_bytes": processor.l3_bytes,
        "cores": os.cpu_count(),
        "core": core,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in _PACKAGES},
        "commit": _commit(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Of this checkout, with `+` if it has changes; None outside one."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()
