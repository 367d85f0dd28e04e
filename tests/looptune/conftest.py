"""The worker that the tests of walks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harl_mlir.measure.pool import Pool


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool() as shared:
        yield shared
