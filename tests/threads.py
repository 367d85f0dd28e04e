"""Whether kernels can run on two threads here: they need as many cores and an OpenMP runtime."""

from __future__ import annotations

import pytest

from harl_mlir.codegen.openmp import check_threads
from harl_mlir.errors import UsageError


def _why_not() -> str:
    try:
        check_threads(2)
    except UsageError as error:
        return str(error)
    return ""


NEEDS_THREADS = pytest.mark.skipif(bool(_why_not()), reason=_why_not())
