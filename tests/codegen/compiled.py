"""Programs that compile and call a kernel, each run in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_COMPILE = """
import sys
import numpy as np
from harl_mlir.codegen.jit import JitError, LowerError, compile_lowered, lower_kernel
from harl_mlir.codegen.memory import AllocationError, LoopMemoryError
from harl_mlir.mlir import ir

def compiled(text, **options):
    with ir.Context(), ir.Location.unknown():
        return compile_lowered(lower_kernel(ir.Module.parse(text), **options))

M = "tensor<4x6xf32>"
"""


def run(program: str, *arguments: str) -> str:
    """What `program` prints; it has `compiled(TEXT)`, `np` and the type `M` of a small matrix."""
    return run_on(b"", program, *arguments).decode()


def run_on(given: bytes, program: str, *arguments: str) -> bytes:
    """As `run`, in bytes, with `given` on its standard input."""
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE + program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
