"""NumPy: matrix products by its BLAS, in place, and its universal functions."""

from __future__ import annotations

import functools

import numpy as np
from numpy_operations import load_operation
from serve import Problem, Program, UnsupportedError, aligned, serve


def load(problem: Problem) -> Program:
    """The product as `np.matmul` into a preallocated array; transposed operands are views."""
    case = problem.case
    if "op" in case:
        return load_operation(problem)
    if case["kind"] not in ("matmul", "matvec", "vecmat"):
        raise UnsupportedError("NumPy has no convolution of several channels.")
    left, right = problem.inputs[:2]
    if left.dtype != np.float32 or case.get("epilogue") == "bias_gelu":
        raise UnsupportedError("NumPy has no such product, or no such function.")
    if case.get("a_transposed"):
        left = left.swapaxes(-1, -2)
    if case.get("b_transposed"):
        right = right.swapaxes(-1, -2)
    output = aligned(np.matmul(left, right))
    product = functools.partial(np.matmul, left, right, output)
    if case.get("epilogue") != "bias_relu":
        return Program(product, lambda: output)
    bias = problem.inputs[2]
    add, maximum, zero = np.add, np.maximum, np.float32(0)

    def call() -> None:
        product()
        add(output, bias, output)
        maximum(output, zero, output)

    return Program(call, lambda: output)


if __name__ == "__main__":
    serve(np.__version__, load)
