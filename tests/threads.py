"""Whether kernels can run on two threads here: they need as many cores and an OpenMP runtime."""

from __future__ import annotations

import os

import pytest

from harl_mlir.codegen.openmp import find_runtime
from harl_mlir.errors import UsageError


def _why_not() -> str:
    # Under pytest-xdist this process has one of the cores until `all_cores` gives it the others.
    if int(os.environ["HARL_MLIR_TEST_CORES"]) < 2:
        return "two threads need two cores"
    try:
        find_runtime()
    except UsageError as error:
        return str(error)
    return ""


NEEDS_THREADS = [
    pytest.mark.skipif(bool(_why_not()), reason=_why_not()),
    pytest.mark.usefixtures("all_cores"),
]
"""Marks of tests that run kernels on two threads."""
