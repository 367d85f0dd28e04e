"""The same calls compiled by inductor.

`inductor` gets the filter with each call, as every other contender does; `inductor_frozen` knows it when
it compiles, and lays it out anew then.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch._inductor.config
from serve import Problem, Program
from torch.nn import functional
from torch_operations import FUNCTIONS, memory_function
from torch_peer import (
    as_result,
    convolution_extras,
    convolution_function,
    convolution_operands,
    convolution_program,
    followed,
    matrices,
)


def load_matmul(problem: Problem) -> Program:
    """The product of operands that change from call to call, into its own result."""
    tensors = matrices(problem)
    if problem.case.get("epilogue"):
        last = functional.gelu if problem.case["epilogue"] == "bias_gelu" else torch.relu

        def function(left: torch.Tensor, right: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
            return last(torch.addmm(bias, left, right))

    elif problem.case.get("element") == "i8":
        function = torch._int_mm
    else:

        def function(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            return torch.matmul(left, right)

    _configure(freezing=False)
    compiled = torch.compile(function, dynamic=False)
    return Program(lambda: compiled(*tensors), lambda: as_result(problem, compiled(*tensors)))


def load_operation(problem: Problem) -> Program:
    """The function of the eager call, compiled."""
    operands = [torch.from_numpy(array) for array in problem.inputs]
    _configure(freezing=False)
    case = problem.case
    function = memory_function(case) if case["kind"] == "memory" else FUNCTIONS[case["op"]]
    compiled = torch.compile(function, dynamic=False)
    return Program(lambda: compiled(*operands), lambda: compiled(*operands).numpy())


class _Convolution(torch.nn.Module):
    """Filter and the epilogue's vectors as parameters, which freezing makes constants."""

    def __init__(
        self,
        function: Callable[..., torch.Tensor],
        taps: torch.Tensor,
        extras: list[torch.Tensor],
        epilogue: str,
    ) -> None:
        super().__init__()
        self.function = function
        self.epilogue = epilogue
        self.taps = torch.nn.Parameter(taps, requires_grad=False)
        self.extras = torch.nn.ParameterList(torch.nn.Parameter(e, requires_grad=False) for e in extras)

    def forward(self, image: torch.Tensor, *residual: torch.Tensor) -> torch.Tensor:
        if self.epilogue == "bias_relu":
            return torch.relu(self.function(image, self.taps, self.extras[0]))
        made = self.function(image, self.taps)
        return followed(made, self.epilogue, list(self.extras), *residual) if self.epilogue else made


def load_convolution(problem: Problem) -> Program:
    """A module; frozen where the contender is."""
    image, taps = convolution_operands(problem, channels_last=True)
    extras, residual = convolution_extras(problem, image, channels_last=True)
    epilogue = problem.case.get("epilogue", "")
    module = _Convolution(convolution_function(problem, image.ndim - 2), taps, extras, epilogue).eval()
    _configure(freezing=problem.contender == "inductor_frozen")
    compiled = torch.compile(module, dynamic=False)
    return convolution_program(problem, lambda: compiled(image, *residual))


def _configure(freezing: bool) -> None:
    torch._dynamo.reset()
    torch._inductor.config.freezing = freezing
    torch._inductor.config.cpp_wrapper = True
    torch._inductor.config.cpp.threads = torch.get_num_threads()
