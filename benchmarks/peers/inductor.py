"""The same calls compiled by inductor.

`inductor` gets the filter with each call, as every other contender does; `inductor_frozen` knows it when
it compiles, and lays it out anew then.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch._inductor.config
from serve import Problem, Program
from torch_operations import FUNCTIONS
from torch_peer import convolution_function, convolution_operands, convolution_program, matrices


def load_matmul(problem: Problem) -> Program:
    """The product of operands that change from call to call, into its own result."""
    tensors = matrices(problem)
    if problem.case.get("epilogue") == "bias_relu":

        def function(left: torch.Tensor, right: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
            return torch.relu(torch.addmm(bias, left, right))

    else:

        def function(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            return torch.matmul(left, right)

    _configure(freezing=False)
    compiled = torch.compile(function, dynamic=False)
    return Program(lambda: compiled(*tensors), lambda: compiled(*tensors).numpy())


def load_operation(problem: Problem) -> Program:
    """The function of the eager call, compiled."""
    operands = [torch.from_numpy(array) for array in problem.inputs]
    _configure(freezing=False)
    compiled = torch.compile(FUNCTIONS[problem.case["op"]], dynamic=False)
    return Program(lambda: compiled(*operands), lambda: compiled(*operands).numpy())


class _Convolution(torch.nn.Module):
    """Filter and bias as parameters, which freezing makes constants."""

    def __init__(
        self, function: Callable[..., torch.Tensor], taps: torch.Tensor, bias: torch.Tensor | None
    ) -> None:
        super().__init__()
        self.function = function
        self.taps = torch.nn.Parameter(taps, requires_grad=False)
        self.bias = None if bias is None else torch.nn.Parameter(bias, requires_grad=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if self.bias is None:
            return self.function(image, self.taps)
        return torch.relu(self.function(image, self.taps, self.bias))


def load_convolution(problem: Problem) -> Program:
    """A module; frozen where the contender is."""
    image, taps = convolution_operands(problem, channels_last=True)
    bias = torch.from_numpy(problem.inputs[2]) if problem.case.get("epilogue") == "bias_relu" else None
    module = _Convolution(convolution_function(problem, image.ndim - 2), taps, bias).eval()
    _configure(freezing=problem.contender == "inductor_frozen")
    compiled = torch.compile(module, dynamic=False)
    return convolution_program(problem, lambda: compiled(image))


def _configure(freezing: bool) -> None:
    torch._dynamo.reset()
    torch._inductor.config.freezing = freezing
    torch._inductor.config.cpp_wrapper = True
    torch._inductor.config.cpp.threads = 1
