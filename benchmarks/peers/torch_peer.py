"""PyTorch: eager in both memory formats, and compiled by inductor.

Convolutions get image and filter in the memory format asked for, prepared outside the timing.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

import numpy as np
import torch
from layouts import filter_channels_first, groups, image_channels_first, output_from_channels_first
from serve import Problem, Program, UnsupportedError, aligned, serve
from torch.nn import functional
from torch_operations import load_operation

Call = Callable[[], torch.Tensor]
CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


def load(problem: Problem) -> Program:
    """The contender's call of the case's operation."""
    if "op" in problem.case:
        if problem.contender == "inductor":
            import inductor

            return inductor.load_operation(problem)
        return load_operation(problem)
    matrix = problem.case["kind"] in ("matmul", "matvec", "vecmat")
    if matrix and problem.contender == "inductor_frozen":
        raise UnsupportedError("Both operands of a matrix product change from call to call.")
    if problem.contender.startswith("inductor"):
        import inductor

        return inductor.load_matmul(problem) if matrix else inductor.load_convolution(problem)
    if matrix:
        if problem.contender == "torch_channels_last":
            raise UnsupportedError("A matrix product has no channels.")
        return _matmul(problem)
    call = convolution(problem, channels_last=problem.contender == "torch_channels_last")
    return convolution_program(problem, call)


def matrices(problem: Problem) -> list[torch.Tensor]:
    """Operands as tensors; transposed ones are views."""
    tensors = [tensor_of(array) for array in problem.inputs]
    for position, field in enumerate(("a_transposed", "b_transposed")):
        if problem.case.get(field):
            tensors[position] = tensors[position].transpose(-1, -2)
    return tensors


def tensor_of(array: np.ndarray) -> torch.Tensor:
    """A tensor on the same memory; bits of 16 are bf16."""
    tensor = torch.from_numpy(array)
    return tensor.view(torch.bfloat16) if array.dtype == np.uint16 else tensor


def as_result(problem: Problem, output: torch.Tensor) -> np.ndarray:
    """A result in the case's element type, which torch has not always."""
    result = problem.case.get("result", "f32")
    if result == "bf16":
        return output.detach().view(torch.uint16).numpy()
    return (output if result == "i32" else output.detach().float()).numpy()


def _matmul(problem: Problem) -> Program:
    tensors = matrices(problem)
    left, right = tensors[:2]
    if problem.case.get("element") == "i8":
        whole = torch.empty(left.shape[0], right.shape[1], dtype=torch.int32)
        return Program(functools.partial(torch._int_mm, left, right, out=whole), whole.numpy)
    output = torch.matmul(left, right)
    if problem.case.get("epilogue"):
        product = functools.partial(torch.addmm, tensors[2], left, right, out=output)
        gelu = functools.partial(torch._C._nn.gelu, output, out=output)
        relu = gelu if problem.case["epilogue"] == "bias_gelu" else output.relu_

        def call() -> None:
            product()
            relu()

        return Program(call, output.numpy)
    name = {"matvec": "mv", "vecmat": "mv", "matmul": "bmm" if left.ndim == 3 else "mm"}[problem.case["kind"]]
    operands = (right.t(), left) if problem.case["kind"] == "vecmat" else (left, right)
    call = functools.partial(getattr(torch, name), *operands, out=output)
    return Program(call, lambda: as_result(problem, output))


def convolution_operands(problem: Problem, channels_last: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Image and filter as torch wants them, in one of its memory formats.

    There is no channels-last format of one spatial dimension: such a case gets a second one of extent 1.
    """
    case = problem.case
    image = image_channels_first(case, problem.inputs[0])
    if case["kind"] == "transposed_conv":  # the canonical filter is flipped: k, k, C, F -> C, F, k, k
        taps = np.moveaxis(problem.inputs[1][::-1, ::-1], (2, 3), (0, 1))
    else:
        taps = filter_channels_first(case, problem.inputs[1])
    tensors = [tensor_of(aligned(array)) for array in (image, taps)]
    if channels_last:
        if len(case["spatial"]) == 1:
            tensors = [tensor.unsqueeze(2) for tensor in tensors]
        form = torch.channels_last_3d if len(case["spatial"]) == 3 else torch.channels_last
        tensors = [tensor.contiguous(memory_format=form) for tensor in tensors]
    return tensors[0], tensors[1]


def convolution_function(problem: Problem, dimensions: int) -> Callable[..., torch.Tensor]:
    """`function(image, filter, bias)` of the case."""
    case = problem.case
    stride = (1, case["stride"]) if dimensions == 2 and len(case["spatial"]) == 1 else case["stride"]
    if case["kind"] == "transposed_conv":
        return functools.partial(functional.conv_transpose2d, stride=stride, padding=case["padding"])
    return functools.partial(CONVOLUTIONS[dimensions], stride=stride, groups=groups(case))


def convolution(problem: Problem, channels_last: bool) -> Call:
    """The eager call."""
    image, taps = convolution_operands(problem, channels_last)
    function = convolution_function(problem, image.ndim - 2)
    extras, residual = convolution_extras(problem, image, channels_last)
    epilogue = problem.case.get("epilogue")
    if epilogue == "bias_relu":
        biased = functools.partial(function, image, taps, *extras)
        return lambda: biased().relu_()
    plain = functools.partial(function, image, taps)
    return (lambda: followed(plain(), epilogue, extras, *residual)) if epilogue else plain


def convolution_extras(
    problem: Problem, image: torch.Tensor, channels_last: bool
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The vectors of the epilogue, and the residual if there is one, in the image's memory format."""
    extras = problem.inputs[2:]
    vectors = [torch.from_numpy(array) for array in extras if array.ndim == 1]
    residual = [
        torch.from_numpy(aligned(image_channels_first(problem.case, array)))
        for array in extras
        if array.ndim > 1
    ]
    if channels_last:
        residual = [tensor.contiguous(memory_format=torch.channels_last) for tensor in residual]
    return vectors, residual


def followed(
    made: torch.Tensor, epilogue: str, vectors: list[torch.Tensor], *residual: torch.Tensor
) -> torch.Tensor:
    """Batch normalisation, the residual and ReLU after a convolution."""
    mean, variance, weight, bias = vectors
    normed = functional.batch_norm(made, mean, variance, weight, bias, eps=1e-5)
    return functional.relu_(normed + residual[0] if residual else normed)


def convolution_program(problem: Problem, call: Call) -> Program:
    """A program whose result is brought to the case's layout."""

    def result() -> np.ndarray:
        output = call()
        if len(problem.case["spatial"]) == 1 and output.ndim == 4:
            output = output.squeeze(2)
        return output_from_channels_first(problem.case, as_result(problem, output))

    return Program(call, result)


if __name__ == "__main__":
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.set_grad_enabled(False)
    with torch.inference_mode():
        serve(torch.__version__, load)
