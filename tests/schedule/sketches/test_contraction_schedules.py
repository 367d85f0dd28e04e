"""Every candidate of the contraction sketch is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.codegen.lowering import bufferize_text
from harl_mlir.measure.pool import Pool
from harl_mlir.space.sketches import sketches_for
from tests.mlir_opt import mlir_opt, needs_mlir_opt
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.legality import assert_legal, drawn, processor_with
from tests.schedule.sketches.loop_nests import LoopNest, plain

_QUICK = settings(
    max_examples=45, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
_WIDTHS = st.sampled_from((16, 32, 64, 64))


@_QUICK
@given(st.one_of(contractions(), convolutions()), _WIDTHS, st.integers(0, 1000))
def test_random_kernels(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    assert_legal(pool, nest.text, "contraction", 1, seed, vector_bytes)


@pytest.mark.slow
@settings(_QUICK, max_examples=600, derandomize=False)
@given(st.one_of(contractions(), convolutions()), _WIDTHS, st.integers(0, 1000))
def test_many_random_kernels(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    assert_legal(pool, nest.text, "contraction", 3, seed, vector_bytes)


def _op(op: str, a: str, b: str, c: str, attributes: str = "", filled: bool = True) -> str:
    """A kernel of one named op; with `filled` its result starts as zero, else as an argument."""
    left, right, result = (f"tensor<{shape}>" for shape in (a, b, c))
    element = c.rsplit("x", 1)[-1]
    arguments = f"%a: {left}, %b: {right}" + ("" if filled else f", %f: {result}")
    zero = "0.0" if element.startswith("f") else "0"
    fill = f"""%z = arith.constant {zero} : {element}
  %e = tensor.empty() : {result}
  %f = linalg.fill ins(%z : {element}) outs(%e : {result}) -> {result}"""
    return f"""func.func @k({arguments}) -> {result} {{
  {fill if filled else ""}
  %r = linalg.{op} {attributes} ins(%a, %b : {left}, {right}) outs(%f : {result}) -> {result}
  return %r : {result}
}}"""


def _maps(loops: str, *results: str) -> str:
    maps = ", ".join(f"affine_map<({', '.join(loops)}) -> ({', '.join(result)})>" for result in results)
    return f"indexing_maps = [{maps}]"


def _by(rank: int, stride: int, dilation: int = 1) -> str:
    pairs = {"dilations": dilation, "strides": stride}
    return f"{{{', '.join(f'{name} = dense<{n}> : tensor<{rank}xi64>' for name, n in pairs.items())}}}"


_MATMUL_TB = _op("matmul", "33x20xf32", "45x20xf32", "33x45xf32", _maps("mnk", "mk", "nk", "mn"))
_NCHW_STRIDED = _op("conv_2d_nchw_fchw", "1x5x11x13xf32", "34x5x3x3xf32", "1x34x5x6xf32", _by(2, 2))
_NAMED_EPILOGUES = """func.func @k(
  %a: tensor<33x20xf32>, %b: tensor<20x45xf32>, %c: tensor<33x45xf32>
) -> tensor<33x45xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<33x45xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<33x45xf32>) -> tensor<33x45xf32>
  %r = linalg.matmul ins(%a, %b : tensor<33x20xf32>, tensor<20x45xf32>)
    outs(%f : tensor<33x45xf32>) -> tensor<33x45xf32>
  %s = linalg.add ins(%r, %c : tensor<33x45xf32>, tensor<33x45xf32>)
    outs(%e : tensor<33x45xf32>) -> tensor<33x45xf32>
  %t = linalg.exp ins(%s : tensor<33x45xf32>) outs(%e : tensor<33x45xf32>) -> tensor<33x45xf32>
  %u = linalg.map { arith.negf } ins(%t : tensor<33x45xf32>) outs(%e : tensor<33x45xf32>)
  return %u : tensor<33x45xf32>
}"""
_NAMED = {
    "epilogues": _NAMED_EPILOGUES,
    "matmul": _op("matmul", "33x20xf32", "20x45xf32", "33x45xf32"),
    "accumulating": _op("matmul", "33x20xf32", "20x45xf32", "33x45xf32", filled=False),
    "widened": _op("matmul", "33x20xi8", "20x45xi8", "33x45xi32"),
    "widened halves": _op("matmul", "33x20xf16", "20x45xf16", "33x45xf32"),
    "A transposed": _op("matmul", "20x33xf32", "20x45xf32", "33x45xf32", _maps("mnk", "km", "kn", "mn")),
    "B transposed": _MATMUL_TB,
    "B transposed, f64": _MATMUL_TB.replace("f32", "f64"),
    "batch": _op("batch_matmul", "3x17x20xf32", "3x20x45xf32", "3x17x45xf32"),
    "batch, B transposed": _op(
        "batch_matmul", "3x17x20xf32", "3x45x20xf32", "3x17x45xf32", _maps("bmnk", "bmk", "bnk", "bmn")
    ),
    "vecmat": _op("vecmat", "50xf32", "50x37xf32", "37xf32"),
    "nwc": _op("conv_1d_nwc_wcf", "2x30x5xf32", "3x5x33xf32", "2x28x33xf32", _by(1, 1)),
    "ncw, strided": _op("conv_1d_ncw_fcw", "2x5x31xf32", "33x5x3xf32", "2x33x15xf32", _by(1, 2)),
    "nhwc": _op("conv_2d_nhwc_hwcf", "1x10x12x5xf32", "3x3x5x33xf32", "1x8x10x33xf32", _by(2, 1)),
    "nhwc, one channel": _op("conv_2d_nhwc_hwcf", "1x10x12x1xf32", "3x3x1x33xf32", "1x8x10x33xf32"),
    "nhwc, filters first": _op(
        "conv_2d_nhwc_fhwc", "1x10x12x5xf32", "33x3x3x5xf32", "1x8x10x33xf32", _by(2, 1)
    ),
    "nhwc, strided, dilated": _op(
        "conv_2d_nhwc_hwcf", "1x11x13x5xf32", "3x3x5x33xf32", "1x4x5x33xf32", _by(2, 2, 2)
    ),
    "nchw": _op("conv_2d_nchw_fchw", "1x5x10x12xf32", "33x5x3x3xf32", "1x33x8x10xf32", _by(2, 1)),
    "nchw, strided": _NCHW_STRIDED,
    "nchw, whole blocks": _op(
        "conv_2d_nchw_fchw", "1x4x10x10xf32", "48x4x3x3xf32", "1x48x8x8xf32", _by(2, 1)
    ),
    "nchw, a row too many": _op(
        "conv_2d_nchw_fchw", "1x4x9x18xf32", "64x4x2x2xf32", "1x64x8x17xf32", _by(2, 1)
    ),
    "nchw, accumulating": _op(
        "conv_2d_nchw_fchw", "1x4x9x9xf32", "64x4x2x2xf32", "1x64x8x8xf32", _by(2, 1), filled=False
    ),
    "nchw, 1x1, four columns": _op(
        "conv_2d_nchw_fchw", "1x8x8x4xf32", "32x8x1x1xf32", "1x32x8x4xf32", _by(2, 1), filled=False
    ),
    "ndhwc, strided": _op(
        "conv_3d_ndhwc_dhwcf", "1x7x7x9x3xf32", "3x3x3x3x20xf32", "1x3x3x4x20xf32", _by(3, 2)
    ),
    "ncdhw, strided": _op(
        "conv_3d_ncdhw_fcdhw", "1x3x7x7x9xf32", "20x3x3x3x3xf32", "1x20x3x3x4xf32", _by(3, 2)
    ),
}


@pytest.mark.parametrize("name", _NAMED)
def test_named_ops(pool: Pool, name: str) -> None:
    assert assert_legal(pool, _NAMED[name], "contraction", 1, 1, every=True)


@needs_mlir_opt
@pytest.mark.parametrize(
    "name", ["epilogues", "B transposed", "nchw, strided", "nchw, whole blocks", "nhwc, strided, dilated"]
)
def test_mlir_22_applies_the_library(pool: Pool, tmp_path: Path, name: str) -> None:
    (task,) = pool.analyse(_NAMED[name], "kernel.mlir").tasks
    spaces = sketches_for(task, processor_with(64))
    library = tmp_path / "library.mlir"
    load = f"--transform-preload-library=transform-library-paths={library}"
    for candidate in (candidate for space in spaces for candidate in drawn(space, 1, 1)):
        library.write_text(pool.library([(task, candidate)]))
        applied = mlir_opt(_NAMED[name], load, "--transform-interpreter")
        assert "linalg." not in applied, candidate.values
        assert "vector<" in applied
        buffers = mlir_opt(applied, f"--pass-pipeline={bufferize_text()}").splitlines()
        depths = {len(line) - len(line.lstrip()) for line in buffers if "memref.alloc" in line}
        assert depths <= {4}, "an allocation inside a loop"


@pytest.mark.parametrize("order", ["rpp", "prp", "ppr"])
def test_loops_in_any_order(pool: Pool, order: str) -> None:
    """Of a row that is no whole registers, too."""
    m, n = (d for d, kind in enumerate(order) if kind == "p")
    k = order.index("r")
    sizes = {m: 16, n: 13, k: 8}
    nest = LoopNest(
        tuple(sizes[d] for d in range(3)), order, (("f32", plain(m, k)), ("f32", plain(k, n))), (m, n), "f32",
        "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %out, %t : f32", "0.0",
    )  # fmt: skip
    assert assert_legal(pool, nest.text, "contraction", 3, 2, every=True) > 2
