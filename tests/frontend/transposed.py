"""Kernels that convolve an image with zeros inserted between its elements, and what they compute."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Transposed:
    """`kernel` and `stride` along both dimensions; the image begins `offset` into `before` + ... zeros.

    `after` counts the zeros behind the last element. `last` says whether channels come last.
    """

    images: int
    extents: tuple[int, int]
    channels: int
    filters: int
    kernel: int
    stride: int
    offset: int
    after: int
    last: bool = True

    @property
    def spread(self) -> tuple[int, ...]:
        return tuple(self.offset + (e - 1) * self.stride + 1 + self.after for e in self.extents)

    @property
    def outputs(self) -> tuple[int, ...]:
        return tuple(z - self.kernel + 1 for z in self.spread)

    def _image(self, extents: tuple[int, ...], channels: int) -> tuple[int, ...]:
        if self.last:
            return (self.images, *extents, channels)
        return (self.images, channels, *extents)

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Of the image, the filter and the result."""
        k, c, f = self.kernel, self.channels, self.filters
        filter_ = (k, k, c, f) if self.last else (f, c, k, k)
        return self._image(self.extents, c), filter_, self._image(self.outputs, f)

    @property
    def text(self) -> str:
        image, filter_, result = (_type(shape) for shape in self.shapes)
        zeros = _type(self._image(self.spread, self.channels))
        offsets = self._image((self.offset,) * 2, 0)
        offsets = (0, *offsets[1:])
        steps = (1, *self._image((self.stride,) * 2, 1)[1:])
        name = "conv_2d_nhwc_hwcf" if self.last else "conv_2d_nchw_fchw"
        return f"""func.func @f(%x: {image}, %w: {filter_}) -> {result} {{
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : {zeros}
  %f = linalg.fill ins(%z : f32) outs(%e : {zeros}) -> {zeros}
  %i = tensor.insert_slice %x into %f{list(offsets)}{list(self.shapes[0])}
       {list(steps)} : {image} into {zeros}
  %o = tensor.empty() : {result}
  %g = linalg.fill ins(%z : f32) outs(%o : {result}) -> {result}
  %r = linalg.{name} {{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}}
       ins(%i, %w : {zeros}, {filter_}) outs(%g : {result}) -> {result}
  return %r : {result}
}}"""

    def expected(self) -> np.ndarray:
        """By the definition, on the numbers of `run_transposed`."""
        image, weights = (
            (np.arange(np.prod(shape)).reshape(shape) % 7 - 3).astype(np.float64) for shape in self.shapes[:2]
        )
        if not self.last:
            image, weights = image.transpose(0, 2, 3, 1), weights.transpose(2, 3, 1, 0)
        spread = np.zeros((self.images, *self.spread, self.channels))
        rows, columns = (slice(self.offset, z - self.after, self.stride) for z in self.spread)
        spread[:, rows, columns] = image
        height, width = self.outputs
        result = np.zeros((self.images, height, width, self.filters))
        for i, j in itertools.product(range(self.kernel), repeat=2):
            result += spread[:, i : i + height, j : j + width] @ weights[i, j]
        return result if self.last else result.transpose(0, 3, 1, 2)


def _type(shape: tuple[int, ...]) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xf32>"
