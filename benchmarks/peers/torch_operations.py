"""Torch's calls for the cases in which nothing is contracted, eager and to be compiled."""

from __future__ import annotations

from collections.abc import Callable

import torch
from serve import Problem, Program
from torch.nn import functional

EPSILON = 1e-5

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
    if op in INTO:
        into, output = INTO[op], torch.empty_like(operands[0])
        return Program(lambda: into(*operands, out=output), output.numpy)
    function = FUNCTIONS[op]
    return Program(lambda: function(*operands), lambda: function(*operands).numpy())
