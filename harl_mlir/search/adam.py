"""Adam (arXiv 1412.6980). `torch.optim` would do, but its first optimiser takes over a second to load."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

_MEAN_DECAY = 0.9
_SQUARE_DECAY = 0.999
_EPSILON = 1e-8


class Adam:
    """Updates parameters by their gradients; every parameter comes with its learning rate."""

    def __init__(self, parameters: Iterable[tuple[Tensor, float]]) -> None:
        self._parameters = [(p, rate, torch.zeros_like(p), torch.zeros_like(p)) for p, rate in parameters]
        self._steps = 0

    @torch.no_grad()
    def step(self, most: float) -> None:
        """Apply the gradients, scaled down where their common norm exceeds `most`, and clear them."""
        gradients = [p.grad for p, *_ in self._parameters if p.grad is not None]
        norm = torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()
        scale = min(1.0, most / (float(norm) + 1e-6))
        self._steps += 1
        mean_bias = 1 - _MEAN_DECAY**self._steps
        square_bias = 1 - _SQUARE_DECAY**self._steps
        for parameter, rate, mean, square in self._parameters:
            if parameter.grad is None:
                continue
            gradient = parameter.grad * scale
            mean.lerp_(gradient, 1 - _MEAN_DECAY)
            square.mul_(_SQUARE_DECAY).addcmul_(gradient, gradient, value=1 - _SQUARE_DECAY)
            step = (square / square_bias).sqrt_().add_(_EPSILON)
            parameter.addcdiv_(mean, step, value=-rate / mean_bias)
            parameter.grad = None
