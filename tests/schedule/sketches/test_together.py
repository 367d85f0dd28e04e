"""Several tasks of these sketches beside each other in one function, each fed by the one before."""

from __future__ import annotations

import random

import pytest

from harl_mlir.measure.pool import Pool
from harl_mlir.space.sketches import sketches_for
from tests.schedule.sketches.legality import processor_with

_PARALLEL = '["parallel", "parallel"]'
_ROW = "affine_map<(i, j) -> (i)>"
_BOTH = "affine_map<(i, j) -> (i, j)>"
_SOFTMAX = f"""
func.func @softmax(%x: tensor<12x77xf32>) -> tensor<12x77xf32> {{
  %low = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<12xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<12xf32>) -> tensor<12xf32>
  %max = linalg.generic {{indexing_maps = [{_BOTH}, {_ROW}], iterator_types = ["parallel", "reduction"]}}
      ins(%x : tensor<12x77xf32>) outs(%f : tensor<12xf32>) {{
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %o : f32
    linalg.yield %m : f32
  }} -> tensor<12xf32>
  %e2 = tensor.empty() : tensor<12x77xf32>
  %exp = linalg.generic {{indexing_maps = [{_BOTH}, {_ROW}, {_BOTH}], iterator_types = {_PARALLEL}}}
      ins(%x, %max : tensor<12x77xf32>, tensor<12xf32>) outs(%e2 : tensor<12x77xf32>) {{
  ^bb0(%a: f32, %m: f32, %o: f32):
    %d = arith.subf %a, %m : f32
    %p = math.exp %d : f32
    linalg.yield %p : f32
  }} -> tensor<12x77xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e : tensor<12xf32>) -> tensor<12xf32>
  %sum = linalg.generic {{indexing_maps = [{_BOTH}, {_ROW}], iterator_types = ["parallel", "reduction"]}}
      ins(%exp : tensor<12x77xf32>) outs(%f2 : tensor<12xf32>) {{
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  }} -> tensor<12xf32>
  %r = linalg.generic {{indexing_maps = [{_BOTH}, {_ROW}, {_BOTH}], iterator_types = {_PARALLEL}}}
      ins(%exp, %sum : tensor<12x77xf32>, tensor<12xf32>) outs(%e2 : tensor<12x77xf32>) {{
  ^bb0(%a: f32, %s: f32, %o: f32):
    %q = arith.divf %a, %s : f32
    linalg.yield %q : f32
  }} -> tensor<12x77xf32>
  return %r : tensor<12x77xf32>
}}
"""
_POOLED = """
func.func @pooled(%x: tensor<1x9x9x20xf32>, %w: tensor<3x3x20xf32>) -> tensor<20xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x7x7x20xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x7x7x20xf32>) -> tensor<1x7x7x20xf32>
  %c = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w : tensor<1x9x9x20xf32>, tensor<3x3x20xf32>)
      outs(%f : tensor<1x7x7x20xf32>) -> tensor<1x7x7x20xf32>
  %k = tensor.empty() : tensor<3x3xf32>
  %e2 = tensor.empty() : tensor<1x3x3x20xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x3x3x20xf32>) -> tensor<1x3x3x20xf32>
  %p = linalg.pooling_nhwc_max {strides = dense<2> : tensor<2xi64>}
      ins(%c, %k : tensor<1x7x7x20xf32>, tensor<3x3xf32>) outs(%f2 : tensor<1x3x3x20xf32>)
      -> tensor<1x3x3x20xf32>
  %e3 = tensor.empty() : tensor<20xf32>
  %f3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<20xf32>) -> tensor<20xf32>
  %s = linalg.reduce ins(%p : tensor<1x3x3x20xf32>) outs(%f3 : tensor<20xf32>) dimensions = [0, 1, 2]
    (%a: f32, %o: f32) {
      %y = arith.addf %a, %o : f32
      linalg.yield %y : f32
    }
  return %s : tensor<20xf32>
}
"""
_KERNELS = {"softmax": _SOFTMAX, "pooled": _POOLED}


@pytest.mark.parametrize("name", _KERNELS)
@pytest.mark.parametrize("seed", range(3))
def test_a_whole_function_is_right_under_its_library(pool: Pool, name: str, seed: int) -> None:
    text = _KERNELS[name]
    rng = random.Random(seed)
    entries = []
    for task in pool.analyse(text, "kernel.mlir").tasks:
        (space, *_) = sketches_for(task, processor_with(64))
        entries.append((task, space.sample(rng) if seed else space.default()))
    library = pool.library(entries)
    applied = pool.apply(text, "kernel.mlir", library)
    assert "linalg." not in applied.text
    (whole,) = pool.functions(text, "kernel.mlir").tasks
    measurement = pool.measure(whole, library)
    assert measurement.ok, f"{measurement.failure}\n{entries}"
