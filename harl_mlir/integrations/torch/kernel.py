"""Calling a compiled graph on torch's tensors, without copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from harl_mlir.export.loaded import LoadedFunction
from harl_mlir.integrations.torch.weights import Weights


@dataclass(frozen=True)
class Result:
    """How a result is allocated.

    Attributes:
        shape, strides, dtype: of the tensor; its elements lie densely in memory.
        expanded: the shape in which it is given back: dimensions of one element may be repeated.
    """

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: torch.dtype
    expanded: tuple[int, ...]

    def empty(self) -> Tensor:
        """A new tensor, not yet filled."""
        return torch.empty_strided(self.shape, self.strides, dtype=self.dtype)


@dataclass(frozen=True)
class Kernel:
    """A compiled graph.

    Attributes:
        function: takes addresses: of the arguments, of what `weights` gives, of the results.
        arguments: numbers of the graph's arguments that it takes.
        places: for each of the graph's results the number of the kernel's, or what it is otherwise (None).
    """

    function: LoadedFunction
    arguments: tuple[int, ...]
    weights: Weights | None
    results: tuple[Result, ...]
    places: tuple[int | None, ...]

    def __call__(self, arguments: Sequence[Tensor]) -> list[Any]:
        """The results. Several threads may call at once; the GIL is released meanwhile."""
        # Held until the call has ended: a copy of what is not contiguous is nobody else's.
        given = [_readable(arguments[number]) for number in self.arguments]
        if self.weights is not None:
            given += self.weights.of(arguments)
        made = [result.empty() for result in self.results]
        self.function.raw(*[tensor.data_ptr() for tensor in given], *[tensor.data_ptr() for tensor in made])
        results = [
            tensor if result.shape == result.expanded else tensor.expand(result.expanded)
            for tensor, result in zip(made, self.results, strict=True)
        ]
        return [None if place is None else results[place] for place in self.places]


def _readable(tensor: Tensor) -> Tensor:
    if tensor.is_neg():
        tensor = tensor.resolve_neg()
    return tensor if tensor.is_contiguous() else tensor.contiguous()
