"""One small kernel, tuned once through the call for all tests that look at what it gave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import harl_mlir
from harl_mlir.api import Database, Tuned

MATMUL = """
func.func @product(%a: tensor<24x16xf32>, %b: tensor<16x32xf32>, %c: tensor<24x32xf32>) -> tensor<24x32xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<24x16xf32>, tensor<16x32xf32>)
                     outs(%c : tensor<24x32xf32>) -> tensor<24x32xf32>
  return %0 : tensor<24x32xf32>
}
"""


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database(tmp_path_factory.mktemp("tuned") / "measurements.db") as opened:
        yield opened


@pytest.fixture(scope="session")
def tuned(database: Database) -> Tuned:
    return harl_mlir.tune(MATMUL, agent="random", trials=6, seconds=60, database=database)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "product.mlir"
    path.write_text(MATMUL)
    return path
