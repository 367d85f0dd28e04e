"""Every candidate of the window sketch is right."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.space.sketches import sketches_for
from tests.schedule.sketches.legality import assert_legal, processor_with
from tests.schedule.sketches.loop_nests import LoopNest, Row

_WIDTHS = (1, 2, 5, 8, 14, 17, 30, 33)
_CHANNELS = (1, 3, 8, 16, 20, 33, 64, 70, 144)
_BODIES = {
    "f32": ("%y = arith.addf %x0, %out : f32", "%y = arith.maximumf %x0, %out : f32"),
    "f64": ("%y = arith.minimumf %x0, %out : f64",),
    "i32": ("%y = arith.maxsi %x0, %out : i32",),
    "f16": ("%y = arith.maximumf %x0, %out : f16",),
    "i8": ("%y = arith.minsi %x0, %out : i8",),
}
_FILTERED = {
    "f32": "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %t, %out : f32",
    "f64": "%t = arith.mulf %x0, %x1 : f64\n %y = arith.addf %t, %out : f64",
    "i32": "%t = arith.muli %x0, %x1 : i32\n %y = arith.addi %t, %out : i32",
}
_ANY_CACHE, _NO_CACHE = None, 64


@st.composite
def nests(draw: st.DrawFn) -> LoopNest:
    """Pooling or depthwise convolution over one or two dimensions, channels first or last."""
    rank = draw(st.integers(1, 2))
    channels_last = draw(st.booleans())
    outputs = [draw(st.sampled_from(_WIDTHS)) for _ in range(rank)]
    kernels = [draw(st.integers(1, 4)) for _ in range(rank)]
    assume(max(kernels) > 1)
    dims = (draw(st.integers(1, 2)), draw(st.sampled_from(_CHANNELS)), *outputs, *kernels)
    windows: list[Row] = []
    for i in range(rank):
        stride, dilation = draw(st.sampled_from((1, 2, 2, 3, 4, 5))), draw(st.integers(1, 2))
        windows.append(((2 + i, stride), (2 + rank + i, dilation)))
    n, c = ((0, 1),), ((1, 1),)
    spatial = tuple(range(2, 2 + rank))
    element = draw(st.sampled_from(sorted(_BODIES)))
    image = (n, *windows, c) if channels_last else (n, c, *windows)
    inputs = [(element, image)]
    if element in _FILTERED and draw(st.booleans()):
        body = _FILTERED[element]
        taps = tuple(((2 + rank + i, 1),) for i in range(rank))
        inputs.append((element, (*taps, c) if channels_last else (c, *taps)))
    else:
        body = draw(st.sampled_from(_BODIES[element]))
        # Something has to tell the extents of the window's loops.
        inputs.append((element, tuple(((2 + rank + i, 1),) for i in range(rank))))
    is_float = element.startswith("f")
    return LoopNest(
        dims,
        "pp" + "p" * rank + "r" * rank,
        tuple(inputs),
        (0, *spatial, 1) if channels_last else (0, 1, *spatial),
        element,
        body,
        init=draw(st.sampled_from((None, "0.25" if is_float else "3"))),
        epilogue=f"%y = arith.{'subf' if is_float else 'subi'} %p, %q : {element}"
        if draw(st.booleans())
        else None,
    )


@settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(nests(), st.sampled_from((16, 32, 64)), st.sampled_from((_ANY_CACHE, _NO_CACHE)), st.integers(0, 1000))
def test_random_kernels(
    pool: Pool, nest: LoopNest, vector_bytes: int, cache_bytes: int | None, seed: int
) -> None:
    assert assert_legal(pool, nest.text, "window", 1, seed, vector_bytes, cache_bytes=cache_bytes) == 1


def _named(name: str, image: str, kernel: str, result: str, attributes: str, pooled: bool) -> str:
    arguments, made = f"%x: tensor<{image}>", f"%k = tensor.empty() : tensor<{kernel}>"
    if not pooled:
        arguments, made = f"{arguments}, %k: tensor<{kernel}>", ""
    return f"""func.func @k({arguments}) -> tensor<{result}> {{
  %z = arith.constant -0.5 : f32
  {made}
  %e = tensor.empty() : tensor<{result}>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<{result}>) -> tensor<{result}>
  %r = linalg.{name} {{{attributes}}} ins(%x, %k : tensor<{image}>, tensor<{kernel}>)
    outs(%f : tensor<{result}>) -> tensor<{result}>
  return %r : tensor<{result}>
}}"""


def _pool(name: str, image: str, kernel: str, result: str, attributes: str = "") -> str:
    return _named(f"pooling_{name}", image, kernel, result, attributes, True)


def _depthwise(name: str, image: str, kernel: str, result: str, attributes: str = "") -> str:
    return _named(f"depthwise_conv_{name}", image, kernel, result, attributes, False)


_STRIDE = "strides = dense<2> : tensor<2xi64>"
_STRIDE_3 = "strides = dense<3> : tensor<2xi64>"
_AWKWARD = {
    "max nhwc": _pool("nhwc_max", "1x13x15x20xf32", "3x3xf32", "1x6x7x20xf32", _STRIDE),
    "max nchw": _pool("nchw_max", "1x5x13x35xf32", "3x3xf32", "1x5x11x33xf32"),
    "max nchw, stride two": _pool("nchw_max", "1x5x13x15xf32", "3x3xf32", "1x5x6x7xf32", _STRIDE),
    "sum nchw, stride three": _pool("nchw_sum", "1x2x10x112xf32", "3x3xf32", "1x2x3x37xf32", _STRIDE_3),
    "sum nwc": _pool("nwc_sum", "2x13x20xf32", "3xf32", "2x11x20xf32"),
    "max ncw": _pool("ncw_max", "2x3x40xf32", "3xf32", "2x3x38xf32"),
    "max ndhwc": _pool("ndhwc_max", "1x5x6x7x9xf32", "2x2x2xf32", "1x4x5x6x9xf32"),
    "max nhwc, rows of lines": _pool("nhwc_max", "2x13x15x288xf32", "3x3xf32", "2x6x7x288xf32", _STRIDE),
    "sum nhwc, rows of lines": _pool("nhwc_sum", "1x8x8x64xf32", "2x2xf32", "1x4x4x64xf32", _STRIDE),
    "max nchw, rows of lines": _pool("nchw_max", "1x5x10x66xf32", "3x3xf32", "1x5x8x64xf32"),
    "min nhwc, window of one": _pool("nhwc_min", "1x3x4x5xf32", "1x1xf32", "1x3x4x5xf32"),
    "sum over the image nhwc": _pool("nhwc_sum", "1x7x7x33xf32", "7x7xf32", "1x1x1x33xf32"),
    "sum over the image nchw": _pool("nchw_sum", "1x33x7x7xf32", "7x7xf32", "1x33x1x1xf32"),
    "depthwise nhwc": _depthwise("2d_nhwc_hwc", "1x9x10x40xf32", "3x3x40xf32", "1x7x8x40xf32"),
    "depthwise nhwc, stride two": _depthwise(
        "2d_nhwc_hwc", "1x9x11x40xf32", "3x3x40xf32", "1x4x5x40xf32", _STRIDE
    ),
    "depthwise nhwc, multiplied": _depthwise("2d_nhwc_hwcm", "1x6x7x5xf32", "3x3x5x2xf32", "1x4x5x5x2xf32"),
    "depthwise nchw": _depthwise("2d_nchw_chw", "1x3x9x58xf32", "3x3x3xf32", "1x3x7x56xf32"),
    "depthwise nchw, stride two": _depthwise(
        "2d_nchw_chw", "1x3x9x99xf32", "3x3x3xf32", "1x3x4x49xf32", _STRIDE
    ),
    "depthwise ncw": _depthwise("1d_ncw_cw", "1x7x30xf32", "7x3xf32", "1x7x28xf32"),
}


@pytest.mark.parametrize("name", _AWKWARD)
def test_awkward_kernels(pool: Pool, name: str) -> None:
    assert assert_legal(pool, _AWKWARD[name], "window", 2, 1) == 1


@pytest.mark.parametrize("name", ["max nhwc, rows of lines", "sum nhwc, rows of lines"])
def test_windows_past_the_caches(pool: Pool, name: str) -> None:
    (task,) = pool.analyse(_AWKWARD[name], "kernel.mlir").tasks
    (usual,) = sketches_for(task, processor_with(64))
    assert "stores" not in usual.default().assignment
    (space,) = sketches_for(task, processor_with(64, cache_bytes=_NO_CACHE))
    chosen = space.default().assignment
    assert chosen["stores"] == "streamed"
    assert chosen["rows"] == 1
    assert assert_legal(pool, _AWKWARD[name], "window", 4, 1, cache_bytes=_NO_CACHE) == 1
