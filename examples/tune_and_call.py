"""Tunes a kernel given as text, keeps its schedules, and calls the tuned kernel on NumPy arrays.

    python examples/tune_and_call.py [SECONDS]

Writes `matmul_relu.schedules.mlir` to the current directory; any MLIR 22 tool applies it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import harl_mlir
from harl_mlir.tuner import Event, Progressed

KERNEL = """
#map = affine_map<(i, j) -> (i, j)>
func.func @matmul_relu(%a: tensor<96x64xf32>, %b: tensor<64x128xf32>) -> tensor<96x128xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<96x128xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<96x128xf32>) -> tensor<96x128xf32>
  %product = linalg.matmul ins(%a, %b : tensor<96x64xf32>, tensor<64x128xf32>)
                           outs(%filled : tensor<96x128xf32>) -> tensor<96x128xf32>
  %relu = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%product : tensor<96x128xf32>) outs(%empty : tensor<96x128xf32>) {
    ^bb0(%x: f32, %out: f32):
      %y = arith.maximumf %x, %zero : f32
      linalg.yield %y : f32
  } -> tensor<96x128xf32>
  return %relu : tensor<96x128xf32>
}
"""


def tell(event: Event) -> None:
    """Say when a task has all its trials."""
    if isinstance(event, Progressed) and event.progress.phase == "done":
        print(f"{event.progress.task.label()}: {event.progress.trials} trials")


def main(seconds: float) -> None:
    """Tune, save, compile, call."""
    tuned = harl_mlir.tune(KERNEL, seconds=seconds, listener=tell)
    for task in tuned.tasks:
        sketch = task.chosen.sketch if task.chosen else "left as it was"
        print(f"{task.task.label()}: {task.gflops:.1f} GFLOP/s, {sketch}")
    tuned.library.save("matmul_relu.schedules.mlir")

    module = harl_mlir.compile(KERNEL, Path("matmul_relu.schedules.mlir"))
    rng = np.random.default_rng(0)
    a = rng.standard_normal((96, 64), dtype=np.float32)
    b = rng.standard_normal((64, 128), dtype=np.float32)
    result = module["matmul_relu"](a, b)
    assert isinstance(result, np.ndarray)
    np.testing.assert_allclose(result, np.maximum(a @ b, 0), rtol=1e-4, atol=1e-4)
    print("the numbers are NumPy's")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 20)
