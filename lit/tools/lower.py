"""Run mlir-opt (the first argument) with the one fixed lowering on a file (the second)."""

from __future__ import annotations

import subprocess
import sys

from harl_mlir.codegen.lowering import pipeline_text

mlir_opt, file = sys.argv[1:]
sys.exit(
    subprocess.run([mlir_opt, file, f"--pass-pipeline={pipeline_text()}"], timeout=90, check=False).returncode
)
