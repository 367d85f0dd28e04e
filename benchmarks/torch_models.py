"""The models that `benchmarks.torch_compile` times."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

Case = tuple[nn.Module, Tensor]


class Block(nn.Module):
    """A transformer block: attention of 8 heads and two layers with a GELU, each after a normalisation."""

    def __init__(self, width: int = 512, heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """`x` is of shape batch, rows, width; so is the result."""
        batch, rows, width = x.shape
        split = self.attend(self.first(x)).view(batch, rows, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(query, key, value)
        x = x + self.project(attended.transpose(1, 2).reshape(batch, rows, width))
        fed: Tensor = self.narrow(nn.functional.gelu(self.widen(self.second(x))))
        return x + fed


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def _cnn() -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def _case(make: Callable[[], nn.Module], *shape: int) -> Callable[[], Case]:
    def made() -> Case:
        torch.manual_seed(0)
        return make().eval(), torch.randn(shape)

    return made


CASES: Mapping[str, Callable[[], Case]] = {
    "block": _case(Block, 1, 128, 512),
    "block_batch4": _case(Block, 4, 128, 512),
    "mlp": _case(_mlp, 64, 784),
    "cnn": _case(_cnn, 1, 3, 64, 64),
}
"""By name: a model without training and an input for it, of 32-bit floats."""
