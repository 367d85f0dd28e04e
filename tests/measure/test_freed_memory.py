"""Of MLIR ops that are erased nothing is asked: the worker works where freed memory is overwritten."""

from __future__ import annotations

import pytest

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for
from tests.frontend.test_row_forms import ARG_MAXES

MATMUL = """
func.func @f(%a: tensor<40x33xf32>, %b: tensor<33x48xf32>, %c: tensor<40x48xf32>) -> tensor<40x48xf32> {
  %r = linalg.matmul ins(%a, %b : tensor<40x33xf32>, tensor<33x48xf32>) outs(%c : tensor<40x48xf32>)
    -> tensor<40x48xf32>
  return %r : tensor<40x48xf32>
}
"""


def _narrow(inputs: str, result: str) -> str:
    """A product of narrow numbers, with the panels and the groups that are copied for it."""
    kind = f"tensor<40x48x{result}>"
    return f"""
func.func @f(%a: tensor<40x33x{inputs}>, %b: tensor<33x48x{inputs}>, %c: {kind}) -> {kind} {{
  %r = linalg.matmul ins(%a, %b : tensor<40x33x{inputs}>, tensor<33x48x{inputs}>) outs(%c : {kind}) -> {kind}
  return %r : {kind}
}}
"""


def test_defaults_of_all_sketches(monkeypatch: pytest.MonkeyPatch) -> None:
    # glibc overwrites what is freed; elsewhere this is one more test of the defaults.
    monkeypatch.setenv("MALLOC_PERTURB_", "165")
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    with Pool() as pool:
        for text in (MATMUL, _narrow("f16", "f32"), _narrow("i8", "i32"), *ARG_MAXES[:2]):
            for task in pool.analyse(text, "kernel.mlir").tasks:
                for space in sketches_for(task, this_processor()):
                    measured = pool.measure(task, space.default())
                    assert measured.ok, f"{space.sketch}: {measured.failure}\n{text}"
