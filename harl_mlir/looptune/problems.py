"""The kernels that the agent is trained on, and those that it is judged by.

The matmuls are LoopTune's (arXiv 2309.01825, section 6): every M, N, K of 64, 80, ..., 256, one in ten of
which is never trained on.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

SIZES = tuple(range(64, 257, 16))
_TEST_SHARE = 10
_STRATA = 25


@dataclass(frozen=True, order=True)
class Matmul:
    """`C[m, n] += A[m, k] * B[k, n]` in f32, from zero."""

    m: int
    n: int
    k: int

    @property
    def name(self) -> str:
        """`matmul_64x80x96`: M, N, K."""
        return f"matmul_{self.m}x{self.n}x{self.k}"

    @property
    def flops(self) -> int:
        """Operations of one call."""
        return 2 * self.m * self.n * self.k

    def function(self) -> str:
        """MLIR text of a function that computes it."""
        a, b, c = (f"tensor<{x}x{y}xf32>" for x, y in ((self.m, self.k), (self.k, self.n), (self.m, self.n)))
        return f"""func.func @{self.name}(%a: {a}, %b: {b}) -> {c} {{
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {c}
  %filled = linalg.fill ins(%zero : f32) outs(%empty : {c}) -> {c}
  %product = linalg.matmul ins(%a, %b : {a}, {b}) outs(%filled : {c}) -> {c}
  return %product : {c}
}}
"""


@dataclass(frozen=True, order=True)
class Conv2D:
    """A convolution of an NHWC image with HWCF filters in f32, no padding, from zero."""

    height: int
    width: int
    channels: int
    filters: int
    kernel: int
    stride: int = 1

    @property
    def name(self) -> str:
        """Its sizes in words."""
        size = f"{self.height}x{self.width}x{self.channels}"
        return f"conv2d_{size}_{self.filters}_{self.kernel}x{self.kernel}_{self.stride}"

    @property
    def flops(self) -> int:
        """Operations of one call."""
        return 2 * self.height * self.width * self.filters * self.kernel**2 * self.channels

    def function(self) -> str:
        """MLIR text of a function that computes it; `height` and `width` are the result's."""
        h, w = (self.stride * (size - 1) + self.kernel for size in (self.height, self.width))
        image = f"tensor<1x{h}x{w}x{self.channels}xf32>"
        filters = f"tensor<{self.kernel}x{self.kernel}x{self.channels}x{self.filters}xf32>"
        result = f"tensor<1x{self.height}x{self.width}x{self.filters}xf32>"
        strides = f"strides = dense<{self.stride}> : tensor<2xi64>"
        return f"""func.func @{self.name}(%a: {image}, %b: {filters}) -> {result} {{
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {result}
  %filled = linalg.fill ins(%zero : f32) outs(%empty : {result}) -> {result}
  %sum = linalg.conv_2d_nhwc_hwcf {{dilations = dense<1> : tensor<2xi64>, {strides}}}
    ins(%a, %b : {image}, {filters}) outs(%filled : {result}) -> {result}
  return %sum : {result}
}}
"""


Problem = Matmul | Conv2D


def matmuls() -> tuple[Matmul, ...]:
    """All 2,197 of them."""
    return tuple(Matmul(*sizes) for sizes in product(SIZES, repeat=3))


def held_out_matmuls() -> tuple[Matmul, ...]:
    """The 220 that are never trained on: those whose names have the lowest hashes."""
    order = sorted(matmuls(), key=lambda problem: hashlib.sha256(problem.name.encode()).hexdigest())
    return tuple(sorted(order[: -(-len(order) // _TEST_SHARE)]))


def training_matmuls() -> tuple[Matmul, ...]:
    """The other 1,977."""
    judged = set(held_out_matmuls())
    return tuple(problem for problem in matmuls() if problem not in judged)


def stratified(problems: Sequence[Matmul], count: int = _STRATA) -> tuple[Matmul, ...]:
    """`count` of them, evenly by the size of the work."""
    order = sorted(problems, key=lambda problem: (problem.flops, problem))
    return tuple(order[(2 * i + 1) * len(order) // (2 * count)] for i in range(count))


def module(problems: Sequence[Problem]) -> str:
    """MLIR text of a module with a function for each."""
    return "".join(problem.function() for problem in problems)


_EXTENTS = (1, 2, 4, 7, 8, 16, 17, 24, 32, 48, 64, 100, 128, 192, 256, 384, 512, 768, 1000, 1024)
_IMAGES = (7, 14, 28, 56)
_CHANNELS = (3, 16, 32, 64, 128, 256)
_KERNELS = (1, 3, 3, 5)
_LEAST_FLOPS, _MOST_FLOPS = 1e5, 6e8


def other_problems(seed: int = 0, products: int = 160, convolutions: int = 80) -> tuple[Problem, ...]:
    """Skinny, odd and large matmuls and convolutions, drawn by the seed: what the range above leaves out.

    Matmuls of that range are left out of those drawn, so there may be some fewer.
    """
    rng = random.Random(seed)
    found: dict[Problem, None] = {}
    while len(found) < products:
        drawn: Problem = Matmul(*(rng.choice(_EXTENTS) for _ in range(3)))
        if _LEAST_FLOPS < drawn.flops < _MOST_FLOPS:
            found[drawn] = None
    while len(found) < products + convolutions:
        size = rng.choice(_IMAGES)
        channels, filters = rng.choice(_CHANNELS), rng.choice(_CHANNELS[1:])
        drawn = Conv2D(size, size, channels, filters, rng.choice(_KERNELS), rng.choice((1, 1, 2)))
        if _LEAST_FLOPS < drawn.flops < _MOST_FLOPS:
            found[drawn] = None
    in_range = set[Problem](matmuls())
    return tuple(problem for problem in found if problem not in in_range)
