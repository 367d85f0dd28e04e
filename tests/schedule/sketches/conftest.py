"""The workers that the sketches' tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harl_mlir.measure.pool import Pool


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool() as shared:
        yield shared


@pytest.fixture(scope="session")
def strict_pool() -> Iterator[Pool]:
    with Pool(accuracy="strict") as shared:
        yield shared


@pytest.fixture(scope="session")
def approximate_pool() -> Iterator[Pool]:
    with Pool(accuracy="approximate") as shared:
        yield shared
