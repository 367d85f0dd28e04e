"""What tests of the backend share: a cache of their own, compiling without measuring, one thread."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo

from harl_mlir.integrations.torch import FallbackWarning, backend

Compile = Callable[..., Any]


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache directory for the whole session: what one test compiled, the next one finds."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared_cache))
    torch._dynamo.reset()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(threads)
    torch._dynamo.reset()


@pytest.fixture
def entries(shared_cache: Path) -> Callable[[], set[Path]]:
    """The entries of the cache as they are."""
    return lambda: set((shared_cache / "harl_mlir" / "torch").glob("*.json"))


@pytest.fixture
def compiles() -> Iterator[Compile]:
    """`torch.compile` with this backend; a graph that is not compiled is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FallbackWarning)
        yield lambda model, **options: torch.compile(model, backend=backend, options=options)
