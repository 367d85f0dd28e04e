"""The polynomials of `approximate` accuracy, against double precision over all magnitudes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harl_mlir.codegen.approximate import approximate_math
from harl_mlir.mlir import ir
from tests.codegen.compiled import run_on

_PROGRAM = """
op, kind = sys.argv[1:]
count = 1 << 19
kind_of_x = f'tensor<{count}xf32>'
scalar = f'''%r = linalg.map ins(%x : {kind_of_x}) outs(%e : {kind_of_x}) (%v: f32, %o: f32) {{
    %w = {op} %v : f32
    linalg.yield %w : f32
  }}'''
vectors = f'''%c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %n = arith.constant {count} : index
  %z = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %n step %c32 iter_args(%t = %e) -> tensor<{count}xf32> {{
    %v = vector.transfer_read %x[%i], %z {{in_bounds=[true]}} : tensor<{count}xf32>, vector<32xf32>
    %s = vector.shape_cast %v : vector<32xf32> to vector<2x16xf32>
    %w = {op} %s : vector<2x16xf32>
    %f = vector.shape_cast %w : vector<2x16xf32> to vector<32xf32>
    %u = vector.transfer_write %f, %t[%i] {{in_bounds=[true]}} : vector<32xf32>, tensor<{count}xf32>
    scf.yield %u : tensor<{count}xf32>
  }}'''
kernel = compiled(f'''func.func @kernel(%x: tensor<{count}xf32>) -> tensor<{count}xf32> {{
  %e = tensor.empty() : tensor<{count}xf32>
  {vectors if kind == "vectors" else scalar}
  return %r : tensor<{count}xf32>
}}''', accuracy="approximate")
x = np.frombuffer(sys.stdin.buffer.read(), np.float32)
y = np.empty_like(x)
kernel.bind([x.ctypes.data, y.ctypes.data])(1)
sys.stdout.buffer.write(y.tobytes())
"""

_SPECIAL = (
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    1e-45,
    -1e-45,
    1.1754942e-38,
    1.0,
    -1.0,
    88.72283,
    88.73,
    -103.98,
)
_ERF = np.frompyfunc(math.erf, 1, 1)
_EXACT = {
    "math.exp": np.exp,
    "math.log": np.log,
    "math.tanh": np.tanh,
    "math.erf": lambda x: _ERF(x).astype(np.float64),
}
_ULPS = {"math.exp": 1.0, "math.log": 1.0, "math.tanh": 2.5, "math.erf": 1.5}


def _arguments() -> np.ndarray:
    """Floats spread over all bit patterns, many of them where the functions bend, and the special ones."""
    bits = np.arange(0, 1 << 32, (1 << 32) // (1 << 18), dtype=np.uint64).astype(np.uint32) + np.uint32(12345)
    near = np.linspace(-12, 12, (1 << 18) - len(_SPECIAL))
    rest = np.concatenate([near, _SPECIAL]).astype(np.float32)
    return np.concatenate([bits.view(np.float32), rest])


@pytest.mark.parametrize("op", _EXACT)
def test_error(op: str) -> None:
    x = _arguments()
    results = [
        np.frombuffer(run_on(x.tobytes(), _PROGRAM, op, kind), np.float32) for kind in ("vectors", "scalars")
    ]
    np.testing.assert_array_equal(results[0].view(np.uint32), results[1].view(np.uint32))
    with np.errstate(all="ignore"):
        exact = _EXACT[op](x.astype(np.float64))
        expected = exact.astype(np.float32)
        ulp = np.maximum(np.spacing(np.abs(expected)), np.float32(1e-45)).astype(np.float64)
        error = np.abs(results[0].astype(np.float64) - exact) / ulp
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(results[0][~finite], expected[~finite])
    assert error[finite].max() <= _ULPS[op]
    assert (np.signbit(results[0]) == np.signbit(expected))[~np.isnan(expected)].all()


def test_other_types_and_functions_are_left_to_the_library() -> None:
    text = """func.func @f(%a: f64, %b: vector<4xf16>, %c: f32) {
      %0 = math.exp %a : f64
      %1 = math.tanh %b : vector<4xf16>
      %2 = math.sin %c : f32
      return
    }"""
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        before = str(module)
        approximate_math(module)
        assert str(module) == before


def test_every_use_is_replaced() -> None:
    text = """func.func @f(%a: vector<4xf32>) -> vector<4xf32> {
      %0 = math.tanh %a : vector<4xf32>
      %1 = math.exp %0 : vector<4xf32>
      return %1 : vector<4xf32>
    }"""
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        approximate_math(module)
        module.operation.verify()
        left = str(module)
    assert "math.tanh" not in left
    assert "math.exp" not in left
    assert "func.call" not in left
