"""Contractions of pairs of bf16 become the processor's dot products, and mean the same."""

from __future__ import annotations

import pytest

from harl_mlir.processor import BF16_DOTS, this_processor
from tests.codegen.compiled import run

_KERNEL = """
func.func @kernel(%a: tensor<3x2xbf16>, %b: tensor<5x32x2xbf16>, %c: tensor<3x32xf32>) -> tensor<3x32xf32> {
  %i = arith.constant 0 : index
  %at = arith.constant 4 : index
  %p = arith.constant 0.0 : bf16
  %q = arith.constant 0.0 : f32
  %x = vector.transfer_read %a[%i, %i], %p {in_bounds = [true, true]} : tensor<3x2xbf16>, vector<3x2xbf16>
  %y = vector.transfer_read %b[%at, %i, %i], %p {in_bounds = [true, true]}
    : tensor<5x32x2xbf16>, vector<32x2xbf16>
  %z = vector.transfer_read %c[%i, %i], %q {in_bounds = [true, true]} : tensor<3x32xf32>, vector<3x32xf32>
  %r = vector.contract {
    indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                     affine_map<(m, n, k) -> (m, n)>],
    iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>
  } %x, %y, %z : vector<3x2xbf16>, vector<32x2xbf16> into vector<3x32xf32>
  %e = tensor.empty() : tensor<3x32xf32>
  %w = vector.transfer_write %r, %e[%i, %i] {in_bounds = [true, true]} : vector<3x32xf32>, tensor<3x32xf32>
  return %w : tensor<3x32xf32>
}
"""

_LOWERED = """
from harl_mlir.codegen.lowering import bufferize, to_llvm
with ir.Context(), ir.Location.unknown():
    for accuracy, dots in (("reassociate", True), ("reassociate", False), ("strict", True)):
        module = ir.Module.parse(sys.argv[1])
        bufferize(module, "kernel")
        to_llvm(module, accuracy, dots=dots)
        print(str(module).count("dpbf16ps.512"))
"""

_CALLED = """
def bits(values):
    return (values.view(np.uint32) >> 16).astype(np.uint16)
def single(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)
kernel = compiled(sys.argv[1])
random = np.random.default_rng(1)
a, b = (bits(random.standard_normal(s, dtype=np.float32)) for s in ((3, 2), (5, 32, 2)))
c, r = random.standard_normal((3, 32), dtype=np.float32), np.zeros((3, 32), np.float32)
kernel.bind([x.ctypes.data for x in (a, b, c, r)])(1)
print(np.abs(r - (c + single(a) @ single(b)[4].T)).max() < 1e-5)
"""


def test_where_the_processor_has_them_and_rounding_is_free() -> None:
    # Three rows of two registers each.
    assert run(_LOWERED, _KERNEL).split() == ["6", "0", "0"]


@pytest.mark.skipif(
    BF16_DOTS not in this_processor().features, reason="the processor has no bf16 dot products"
)
def test_the_numbers_are_right() -> None:
    assert run(_CALLED, _KERNEL).strip() == "True"
