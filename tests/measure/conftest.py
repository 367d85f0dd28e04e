"""The pools that tests share: one for what works, one with short limits for what does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harl_mlir.measure.limits import Limits
from harl_mlir.measure.pool import Pool


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool() as shared:
        yield shared


@pytest.fixture(scope="module")
def hasty_pool() -> Iterator[Pool]:
    limits = Limits(build_seconds=5.0, run_seconds=0.5, first_run_seconds=20.0, memory_bytes=600 << 20)
    with Pool(limits=limits) as own:
        yield own
