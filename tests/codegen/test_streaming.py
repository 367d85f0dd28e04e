"""Stores past the caches: right at every address, and offered for large results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Value
from harl_mlir.space.sketches import sketches_for
from tests.codegen.compiled import run_on

_PROGRAM = """
offset = int(sys.argv[1])
kernel = compiled('''func.func @kernel(%x: memref<24x48xf32>, %y: memref<24x48xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c24 = arith.constant 24 : index
  %c48 = arith.constant 48 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c24 step %c2 {
    scf.for %j = %c0 to %c48 step %c16 {
      %v = vector.transfer_read %x[%i, %j], %z {in_bounds = [true, true]}
          : memref<24x48xf32>, vector<2x16xf32>
      vector.transfer_write %v, %y[%i, %j] {in_bounds = [true, true]} : vector<2x16xf32>, memref<24x48xf32>
    }
  } {harl.streamed}
  return
}''')
x = np.frombuffer(sys.stdin.buffer.read(), np.float32)
held = np.zeros(x.size + 64, np.float32)
start = -held.ctypes.data // 4 % 16 + offset
y = held[start : start + x.size]
kernel.bind([x.ctypes.data, y.ctypes.data])(1)
sys.stdout.buffer.write(y.tobytes())
"""

_SHIFTED = """
offset = int(sys.argv[1])
kernel = compiled('''func.func @kernel(%x: memref<24x300xf32>, %b: memref<300xf32>, %y: memref<24x300xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  %c32 = arith.constant 32 : index
  %c288 = arith.constant 288 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c24 step %c1 {
    scf.for %j = %c0 to %c288 step %c32 {
      %v = vector.transfer_read %x[%i, %j], %z {in_bounds = [true]} : memref<24x300xf32>, vector<32xf32>
      %w = vector.transfer_read %b[%j], %z {in_bounds = [true]} : memref<300xf32>, vector<32xf32>
      %s = arith.addf %v, %w : vector<32xf32>
      vector.transfer_write %s, %y[%i, %j] {in_bounds = [true]} : vector<32xf32>, memref<24x300xf32>
    }
  } {harl.streamed}
  return
}''')
x = np.frombuffer(sys.stdin.buffer.read(), np.float32)
b = np.arange(300, dtype=np.float32)
held = np.zeros(x.size + 64, np.float32)
start = -held.ctypes.data // 4 % 16 + offset
y = held[start : start + x.size]
kernel.bind([x.ctypes.data, b.ctypes.data, y.ctypes.data])(1)
sys.stdout.buffer.write(held[start - offset :].tobytes())
"""

_SUM = """func.func @k(%a: tensor<24x80xf32>, %b: tensor<80xf32>) -> tensor<24x80xf32> {
  %e = tensor.empty() : tensor<24x80xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<24x80xf32>, tensor<80xf32>) outs(%e : tensor<24x80xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    linalg.yield %s : f32
  } -> tensor<24x80xf32>
  return %r : tensor<24x80xf32>
}"""
_TRANSPOSE = """func.func @k(%a: tensor<80x96xf32>) -> tensor<96x80xf32> {
  %e = tensor.empty() : tensor<96x80xf32>
  %r = linalg.transpose ins(%a : tensor<80x96xf32>) outs(%e : tensor<96x80xf32>) permutation = [1, 0]
  return %r : tensor<96x80xf32>
}"""


@pytest.mark.parametrize("offset", [0, 1, 8])
def test_buffers_that_begin_anywhere(offset: int) -> None:
    x = np.arange(24 * 48, dtype=np.float32)
    np.testing.assert_array_equal(np.frombuffer(run_on(x.tobytes(), _PROGRAM, str(offset)), np.float32), x)


@pytest.mark.parametrize("offset", [0, 1, 4, 15])
def test_rows_that_begin_anywhere(offset: int) -> None:
    x = np.arange(24 * 300, dtype=np.float32)
    held = np.frombuffer(run_on(x.tobytes(), _SHIFTED, str(offset)), np.float32)
    written = held[offset : offset + x.size].reshape(24, 300)
    expected = x.reshape(24, 300) + np.arange(300, dtype=np.float32)
    np.testing.assert_array_equal(written[:, :288], expected[:, :288])
    assert not written[:, 288:].any()
    assert not held[:offset].any()
    assert not held[offset + x.size :].any()


@pytest.mark.parametrize("text", [_SUM, _TRANSPOSE])
def test_every_kind_of_stores_is_right(text: str) -> None:
    small = replace(this_processor(), l3_bytes=1024)
    with Pool() as pool:
        (task,) = pool.analyse(text, "kernel.mlir").tasks
        (usual,) = sketches_for(task, this_processor())
        assert "stores" not in usual.default().assignment
        (space,) = sketches_for(task, small)
        assert space.default().assignment["stores"] == "streamed"
        for stores in ("cached", "streamed"):
            values = {**space.default().assignment, "stores": stores}
            candidate = Candidate(space.sketch, space.version, tuple(values.items()))
            measurement = pool.measure(task, candidate)
            assert measurement.ok, measurement.failure


def _right_default(text: str) -> Mapping[str, Value]:
    """The default where the last cache is small, measured and so checked."""
    with Pool() as pool:
        (task,) = pool.analyse(text, "kernel.mlir").tasks
        (space,) = sketches_for(task, replace(this_processor(), vector_bytes=64, l3_bytes=1024))
        measurement = pool.measure(task, space.default())
        assert measurement.ok, measurement.failure
        return space.default().assignment


@pytest.mark.parametrize(
    ("columns", "shared", "rows", "flatten"),
    [
        (3072, "16x3072", 1, "yes"),
        (3072, "3072", 8, "no"),
        (2048, "2048", 1, "no"),
        (3072, "16", 1, "no"),
        (3082, "16x3082", 1, "yes"),
        (3082, "3082", 1, "no"),
    ],
)
def test_long_rows_that_share_an_operand_are_streamed_together(
    columns: int, shared: str, rows: int, flatten: str
) -> None:
    kind, other = f"tensor<16x{columns}xf32>", f"tensor<{shared}xf32>"
    read = "i, j" if "x" in shared else "i" if shared == "16" else "j"
    text = f"""func.func @k(%a: {kind}, %b: {other}) -> {kind} {{
  %e = tensor.empty() : {kind}
  %r = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ({read})>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}}
      ins(%a, %b : {kind}, {other}) outs(%e : {kind}) {{
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    linalg.yield %s : f32
  }} -> {kind}
  return %r : {kind}
}}"""
    chosen = _right_default(text)
    assert (chosen["rows"], chosen["flatten"], chosen["stores"]) == (rows, flatten, "streamed")


def test_half_as_many_rows_are_streamed_together_of_two_operands() -> None:
    kind = "tensor<16x3072xf32>"
    text = f"""func.func @k(%a: {kind}, %b: {kind}, %c: tensor<3072xf32>) -> {kind} {{
  %e = tensor.empty() : {kind}
  %s = linalg.add ins(%a, %b : {kind}, {kind}) outs(%e : {kind}) -> {kind}
  %r = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}}
      ins(%s, %c : {kind}, tensor<3072xf32>) outs(%e : {kind}) {{
  ^bb0(%x: f32, %y: f32, %o: f32):
    %t = arith.addf %x, %y : f32
    linalg.yield %t : f32
  }} -> {kind}
  return %r : {kind}
}}"""
    assert _right_default(text)["rows"] == 4
