"""Models compiled by the backend give what eager mode gives."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from harl_mlir.integrations.torch.cache import Cache
from tests.integrations.torch.conftest import Compile
from tests.integrations.torch.models import Block, cnn, mlp

Entries = Callable[[], set[Path]]


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.dtype == wanted.dtype
    assert found.stride() == wanted.stride()
    torch.testing.assert_close(found, wanted, rtol=2e-5, atol=2e-6)


def test_an_mlp_is_compiled_for_each_batch_size(compiles: Compile, entries: Entries) -> None:
    model = mlp()
    compiled = compiles(model)
    x = torch.randn(7, 24)
    close(compiled(x), model(x))
    before = entries()
    x = torch.randn(3, 24)
    close(compiled(x), model(x))
    assert len(entries() - before) == 1


def test_a_cnn(compiles: Compile) -> None:
    model = cnn()
    x = torch.randn(3, 3, 10, 10)
    close(compiles(model)(x), model(x))


@pytest.mark.parametrize("batch", [1, 2])
def test_normalisation_residual_and_activation_are_one_task_with_their_convolution(
    batch: int, compiles: Compile
) -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(8)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(self.norm(self.conv(x)) + x)

    torch.manual_seed(6)
    model = Residual()
    model(torch.randn(4, 8, 6, 6))  # the normalisation learns what it divides by
    model.eval()
    before = {built.library for built in Cache().all()}
    x = torch.randn(batch, 8, 10, 10)
    close(compiles(model)(x), model(x))
    (built,) = (built for built in Cache().all() if built.library not in before)
    (task,) = built.tasks
    assert task.label.endswith("+1")


def test_a_transformer_block(compiles: Compile) -> None:
    model = Block().eval()
    x = torch.randn(2, 9, 32)
    close(compiles(model)(x), model(x))


def test_operands_that_are_not_contiguous_and_results_that_promise_other_strides(compiles: Compile) -> None:
    def several(x: Tensor, y: Tensor) -> tuple[Tensor | None, ...]:
        product = x @ y
        return product.t(), None, product, product[:, None].expand(4, 5, 6), x + 1, product.sum()

    x, y = torch.randn(3, 4).t(), torch.randn(3, 12)[:, ::2]
    for found, wanted in zip(compiles(several)(x, y), several(x, y), strict=True):
        if wanted is None:
            assert found is None
        else:
            close(found, wanted)


def test_weights_that_change_are_packed_again(compiles: Compile) -> None:
    model = mlp()
    compiled = compiles(model)
    x = torch.randn(7, 24)
    close(compiled(x), model(x))
    model[0].weight.mul_(-0.5)
    close(compiled(x), model(x))
    model.load_state_dict({name: value + 1 for name, value in model.state_dict().items()})
    close(compiled(x), model(x))
    model[2].weight = nn.Parameter(torch.randn(10, 33))
    close(compiled(x), model(x))
    model[2].weight.data = torch.randn(10, 33)
    close(compiled(x), model(x))


def test_without_packing_weights_are_read_where_they_lie_and_without_a_cache_nothing_stays(
    compiles: Compile, entries: Entries, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = nn.Linear(24, 8)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = entries(), set(Path(tempfile.gettempdir()).glob("harl-torch-*"))
    compiled = compiles(model, pack=False, cache=False)
    x = torch.randn(5, 24)
    close(compiled(x), model(x))
    assert before == (entries(), set(Path(tempfile.gettempdir()).glob("harl-torch-*")))
    model.weight.numpy()[:] = 2.0  # which no counter of versions sees
    close(compiled(x), model(x))


def test_threads_call_and_compile_at_once_while_the_pool_of_torch_is_at_work(compiles: Compile) -> None:
    torch.set_num_threads(2)
    models = [mlp(), mlp(), cnn(), Block().eval()]
    shapes = [(7, 24), (3, 24), (3, 3, 10, 10), (2, 9, 32)]
    compiled = [compiles(model) for model in models]
    wrong: list[BaseException] = []

    def use(number: int) -> None:
        try:
            generator = torch.Generator().manual_seed(number)
            with torch.no_grad():
                for _ in range(20):
                    x = torch.randn(shapes[number % 4], generator=generator)
                    torch.randn(128, 128) @ torch.randn(128, 128)
                    close(compiled[number % 4](x), models[number % 4](x))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


def test_what_is_recorded_is_taken_without_measuring(compiles: Compile, tmp_path: Path) -> None:
    database = tmp_path / "measurements.db"
    x = torch.randn(16, 24)
    model = nn.Linear(24, 32)
    close(compiles(model, trials=2, seconds=20, database=str(database))(x), model(x))
    assert database.exists()
    torch._dynamo.reset()
    close(compiles(model, database=str(database))(x), model(x))


def test_symbolic_sizes_are_compiled_for_what_they_are(compiles: Compile) -> None:
    model = mlp()
    compiled = torch.compile(compiles(model), dynamic=True)
    for rows in (7, 3):
        x = torch.randn(rows, 24)
        close(compiled(x), model(x))
