"""What the tests of walks share: a worker, and weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harl_mlir.cli.train_looptune import _policies
from harl_mlir.looptune.weights import write
from harl_mlir.measure.pool import Pool
from tests.looptune.trainings import train


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    with Pool() as shared:
        yield shared


@pytest.fixture(scope="session")
def weights_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tiny training on made-up records. Copy them before you change them."""
    directory = tmp_path_factory.mktemp("looptune")
    checkpoint, estimate, _ = train(directory, 1)
    write(directory / "weights", estimate.booster, _policies(checkpoint), 100.0, {"note": "made up"})
    return directory / "weights"
