"""Small models that the tests compile."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def mlp() -> nn.Module:
    """Two layers with odd sizes."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(24, 33), nn.ReLU(), nn.Linear(33, 10)).eval()


def cnn() -> nn.Module:
    """Convolution, normalisation, pooling, a linear layer."""
    torch.manual_seed(2)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 5),
    )
    net(torch.randn(4, 3, 10, 10))  # the normalisations learn what they divide by
    return net.eval()


class Block(nn.Module):
    """A transformer block: attention with a softmax, layer normalisations, GELU."""

    def __init__(self, width: int = 32, heads: int = 4, causal: bool = False) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.heads, self.causal = heads, causal
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, rows, width = x.shape
        split = self.attend(self.first(x)).view(batch, rows, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        x = x + self.project(attended.transpose(1, 2).reshape(batch, rows, width))
        return x + self.narrow(nn.functional.gelu(self.widen(self.second(x))))
