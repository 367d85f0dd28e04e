"""Results are what eager mode promises: strides, types, memory of their own; factors stay in place."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.integrations.torch.conftest import Compile


def same(found: Tensor, wanted: Tensor) -> None:
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    assert found.stride() == wanted.stride()
    torch.testing.assert_close(found, wanted, rtol=2e-5, atol=2e-6)


class Scaled(nn.Module):
    """A convolution whose result is multiplied."""

    def __init__(self, channels: int, *shape: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, channels, 3)
        self.factor = nn.Parameter(torch.randn(shape, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(x) * self.factor


@pytest.mark.parametrize(
    "model",
    [Scaled(8, 8), Scaled(8, 8, 1, 1), Scaled(1), Scaled(8, 8, 1, 1, dtype=torch.float64)],
    ids=["along the width", "by channel", "one number", "wider type"],
)
def test_a_factor_of_a_convolution(compiles: Compile, model: Scaled) -> None:
    x = torch.randn(2, 3, 10, 10)
    same(compiles(model.eval())(x), model(x))


def test_copies_are_results_of_their_own(compiles: Compile) -> None:
    def twice(x: Tensor) -> tuple[Tensor, Tensor]:
        y = x + 1
        return y, y.clone()

    x = torch.randn(5)
    first, second = compiles(twice)(x)
    second.add_(5)
    torch.testing.assert_close(first, x + 1)


def test_strides_of_copies(compiles: Compile) -> None:
    def laid_out(x: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        return (x + 1).t().contiguous(), (image * 2).contiguous(memory_format=torch.channels_last)

    x, image = torch.randn(4, 6), torch.randn(2, 3, 4, 5)
    for found, wanted in zip(compiles(laid_out)(x, image), laid_out(x, image), strict=True):
        same(found, wanted)


def test_types_are_promoted_as_torch_does(compiles: Compile) -> None:
    factor = torch.randn(1, dtype=torch.float64)

    def promoted(x: Tensor) -> Tensor:
        return x.view(2, 3, 4) * factor

    x = torch.randn(6, 4)
    same(compiles(promoted)(x), promoted(x))
