"""Torch's calls for the cases in which nothing is contracted, eager and to be compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from serve import Problem, Program
from torch.nn import functional

EPSILON = 1e-5


def _attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """On heads x places x depth; a batch of one in front, as models have it."""
    return functional.scaled_dot_product_attention(q[None], k[None], v[None])[0]


FUNCTIONS: dict[str, Callable[..., torch.Tensor]] = {
    "softmax": lambda x: functional.softmax(x, -1),
    "log_softmax": lambda x: functional.log_softmax(x, -1),
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "variance": lambda x: torch.var(x, -1),
    "argmax": lambda x: torch.argmax(x, -1),
    "layer_norm": lambda x, w, b: functional.layer_norm(x, x.shape[-1:], w, b, EPSILON),
    "rms_norm": lambda x, w: functional.rms_norm(x, x.shape[-1:], w, EPSILON),
    "exp": torch.exp,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "silu": functional.silu,
    "gelu_erf": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "add_relu": lambda x, y: torch.relu(x + y),
    "bias_add": torch.add,
    "attention": _attention,
    "linear_softmax": lambda x, w, b: functional.softmax(functional.linear(x, w, b), -1),
    "add_layer_norm": lambda x, y, w, b: functional.layer_norm(x + y, x.shape[-1:], w, b, EPSILON),
}
INTO: dict[str, Callable[..., torch.Tensor]] = {
    "exp": torch.exp,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "silu": torch._C._nn.silu,
    "gelu_erf": torch._C._nn.gelu,
    "gelu_tanh": lambda x, out: torch._C._nn.gelu(x, approximate="tanh", out=out),
    "add_relu": lambda x, y, out: torch.add(x, y, out=out).relu_(),
    "bias_add": torch.add,
}
"""Those that write into a tensor that is there, as elementwise calls are fastest."""


def load_operation(problem: Problem) -> Program:
    """The eager call."""
    operands = [torch.from_numpy(array) for array in problem.inputs]
    op = problem.case["op"]
    if problem.case["kind"] == "memory":
        return _moved(problem, operands)
    if op in INTO:
        into, output = INTO[op], torch.empty_like(operands[0])
        return Program(lambda: into(*operands, out=output), output.numpy)
    function = FUNCTIONS[op]
    return Program(lambda: function(*operands), lambda: function(*operands).numpy())


def memory_function(case: dict[str, Any]) -> Callable[..., torch.Tensor]:
    """The case's function, whose result may be a view of channels that lie last."""
    op = case["op"]
    if op == "transpose":
        return lambda x: x.permute(case["permutation"]).contiguous()
    if op == "pad":
        widths = [border for border in reversed(case["border"]) for _ in range(2)]
        return lambda x: functional.pad(x, widths)
    if op == "concat":
        return lambda *given: torch.cat(given, case["axis"])
    kernel, stride = case["kernel"], case["stride"]
    pool = functional.max_pool2d if op == "max_pool" else functional.avg_pool2d
    if case["layout"] == "channels_first":
        return lambda x: pool(x, kernel, stride)
    # A view of channels that lie last is what torch calls channels_last.
    return lambda x: pool(x.permute(0, 3, 1, 2), kernel, stride).permute(0, 2, 3, 1)


def _moved(problem: Problem, operands: list[torch.Tensor]) -> Program:
    case = problem.case
    function = memory_function(case)
    result = function(*operands)
    if case["op"] == "transpose":
        turned = operands[0].permute(case["permutation"])
        return Program(lambda: result.copy_(turned), result.numpy)
    if case["op"] == "concat":
        return Program(lambda: torch.cat(operands, case["axis"], out=result), result.numpy)
    return Program(lambda: function(*operands), lambda: function(*operands).numpy())
