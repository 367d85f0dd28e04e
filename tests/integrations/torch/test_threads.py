"""Graphs whose calls run on two threads."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from harl_mlir.errors import UsageError
from harl_mlir.integrations.torch.cache import Cache
from harl_mlir.integrations.torch.options import Options
from tests.integrations.torch.conftest import Compile
from tests.threads import NEEDS_THREADS

pytestmark = NEEDS_THREADS


class Rows(nn.Module):
    """Products, a normalisation and a softmax, each with work for two threads."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into, self.norm, self.out = nn.Linear(192, 384), nn.LayerNorm(384), nn.Linear(384, 192)

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.out(self.norm(torch.relu(self.into(x)))), -1)


def test_a_graph_is_right_again_and_again_from_several_threads(compiles: Compile) -> None:
    model = Rows().eval()
    compiled = compiles(model, threads=2)
    x = torch.randn(256, 192)
    wanted = model(x)
    before = len(list(Path("/proc/self/task").iterdir()))
    torch.testing.assert_close(compiled(x), wanted, rtol=2e-5, atol=2e-6)
    assert len(list(Path("/proc/self/task").iterdir())) > before
    (built,) = (built for built in Cache().all() if "harl.threads = 2" in built.library)
    assert "scf.forall" not in built.library  # it is made by the schedules
    assert "transform.structured.tile_using_forall" in built.library
    right: list[bool] = []

    def use(seed: int) -> None:
        given = torch.randn(256, 192, generator=torch.Generator().manual_seed(seed))
        for _ in range(10):
            right.append(torch.allclose(compiled(given), model(given), rtol=2e-5, atol=2e-6))

    with torch.no_grad():
        users = [threading.Thread(target=torch.no_grad()(use), args=(seed,)) for seed in range(3)]
        for user in users:
            user.start()
        for user in users:
            user.join()
    assert right == [True] * 30


def test_one_thread_is_another_library(compiles: Compile) -> None:
    model = Rows().eval()
    x = torch.randn(256, 192)
    first = compiles(model, threads=2)(x)
    torch._dynamo.reset()
    kept = {path.name for path in Cache().directory.glob("*.so")}
    torch.testing.assert_close(compiles(model)(x), first, rtol=2e-5, atol=2e-6)
    assert len({path.name for path in Cache().directory.glob("*.so")} - kept) == 1


@pytest.mark.parametrize(
    ("threads", "message"),
    [
        (0, "whole number, 1 or more"),
        (True, "whole number"),
        ("2", "whole number"),
        (4096, "use option threads"),
    ],
)
def test_what_cannot_be_is_refused(threads: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Options.of({"threads": threads})
