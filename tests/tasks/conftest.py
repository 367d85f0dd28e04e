from __future__ import annotations

from collections.abc import Iterator

import pytest

from harl_mlir.mlir import ir


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/tasks/golden/*.txt")


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with ir.Context(), ir.Location.unknown():
        yield
