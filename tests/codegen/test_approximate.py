"""The polynomials of `approximate` accuracy, against double precision over all magnitudes."""

from __future__ import annotations

import numpy as np
import pytest

from harl_mlir.codegen.approximate import approximate_math
from harl_mlir.mlir import ir
from harl_mlir.processor import AVX512
from tests.codegen.math_errors import computed, errors, exactly, singles, sixteenths

_ULPS = {
    "math.exp": 1.3,
    "math.log": 1.0,
    "math.tanh": 2.5,
    "math.erf": 1.5,
    "math.sqrt": 0.5,
    "math.rsqrt": 1.5,
}
_GELUS = ("gelu", "gelu_of_half", "gelu_of_product")


def test_error() -> None:
    x = singles(1 << 18)
    by_vectors = computed([*_ULPS], x, [2, 16], "approximate")
    by_scalars = computed([*_ULPS], x, None, "approximate")
    for (op, ulps), one, other in zip(_ULPS.items(), by_vectors, by_scalars, strict=True):
        known = ~np.isnan(one)
        np.testing.assert_array_equal(one.view(np.uint32)[known], other.view(np.uint32)[known])
        assert errors(op, x, one).max() <= ulps, op
        if op in ("math.tanh", "math.erf"):
            assert np.nanmax(np.abs(one - exactly(op, x))) <= 2e-7


def test_scaling_by_the_processor_gives_the_same_numbers() -> None:
    x = singles(1 << 18)
    # Vectors of 8 do not fill registers of AVX-512.
    (scaled,), (shifted,) = (computed(["math.exp"], x, [lanes], "approximate") for lanes in (32, 8))
    np.testing.assert_array_equal(scaled, shifted)
    # Equal numbers: of zero the sign, too.
    np.testing.assert_array_equal(np.signbit(scaled[scaled == 0]), False)


@pytest.mark.parametrize(
    ("kind", "features", "calls"),
    [
        ("vector<64xf32>", [AVX512], 4),
        ("vector<2x16xf32>", [AVX512], 2),
        ("vector<2x1x32xbf16>", [AVX512], 4),
        ("vector<24xf32>", [AVX512], 0),
        ("vector<f32>", [AVX512], 0),
        ("f32", [AVX512], 0),
        ("vector<64xf32>", ["avx2"], 0),
    ],
)
def test_whole_registers_are_scaled_where_the_processor_can(
    kind: str, features: list[str], calls: int
) -> None:
    text = f"""func.func @f(%a: {kind}) -> {kind} {{
      %0 = math.exp %a : {kind}
      return %0 : {kind}
    }}"""
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        approximate_math(module, features)
        module.operation.verify()
        assert str(module).count("call @llvm.x86.avx512.mask.scalef.ps.512(") == calls
        assert ("arith.shli" in str(module)) == (calls == 0)


@np.errstate(all="ignore")
def test_error_of_gelu() -> None:
    x = singles(1 << 18)
    exact = exactly("gelu", x)
    for result in computed(_GELUS, x, [64], "approximate"):
        np.testing.assert_array_equal(np.isnan(result), np.isnan(x))
        np.testing.assert_array_equal(result[x == np.inf], np.inf)
        assert (result[x == -np.inf] == 0).all()
        finite = np.isfinite(x)
        off = np.abs(result - exact)[finite]
        ulp = np.spacing(np.abs(exact[finite]).astype(np.float32))
        assert off[x[finite] <= 0].max() <= 1.2e-7
        assert (off / ulp)[x[finite] > 0].max() <= 4.5


@np.errstate(all="ignore")
def test_error_of_sigmoid_and_silu() -> None:
    x = singles(1 << 18)
    for op, result in zip(
        ("sigmoid", "silu"), computed(["sigmoid", "silu"], x, [64], "approximate"), strict=True
    ):
        exact = exactly(op, x)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(exact))
        usual = np.abs(x) <= 87
        ulp = np.spacing(np.abs(exact[usual]).astype(np.float32))
        assert (np.abs(result[usual] - exact[usual]) / ulp).max() <= 3.5, op
        # Where exp(-x) overflows the quotient is zero.
        far = (np.abs(x) > 87) & np.isfinite(exact)
        assert (np.abs(result - exact)[far] <= 2.0**-118 + 2.0**-23 * np.abs(exact[far])).all(), op


def _approximated(text: str) -> str:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        approximate_math(module)
        module.operation.verify()
        return str(module)


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_halves_are_computed_in_single_precision(kind: str) -> None:
    text = f"""func.func @f(%a: vector<4x{kind}>) -> vector<4x{kind}> {{
      %0 = math.tanh %a : vector<4x{kind}>
      return %0 : vector<4x{kind}>
    }}"""
    left = _approximated(text)
    assert "math.tanh" not in left
    assert f"arith.extf %arg0 : vector<4x{kind}> to vector<4xf32>" in left


def test_error_in_half_precision() -> None:
    x = np.arange(0, 1 << 16, dtype=np.uint16).view(np.float16)
    ops = ["math.exp", "math.log", "math.tanh", "math.erf"]
    for op, result in zip(ops, computed(ops, x, [32], "approximate"), strict=True):
        assert errors(op, x, result).max() <= 0.51, op


def test_other_types_and_functions_are_left_to_the_library() -> None:
    text = """func.func @f(%a: f64, %c: f32) {
      %0 = math.exp %a : f64
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
    left = _approximated(text)
    assert "math.tanh" not in left
    assert "math.exp" not in left
    assert "func.call" not in left


_NEARLY = {
    "another factor": ("%d = arith.divf %x, %one : f32", "%r = arith.mulf %x, %h : f32"),
    "another operand": ("%d = arith.divf %x, %root : f32", "%r = arith.mulf %y, %h : f32"),
    "another use": (
        "%d = arith.divf %x, %root : f32",
        "%q = arith.mulf %x, %h : f32 %r = arith.addf %q, %e : f32",
    ),
}


@pytest.mark.parametrize("name", _NEARLY)
def test_what_is_not_gelu_is_an_error_function(name: str) -> None:
    first, last = _NEARLY[name]
    text = f"""func.func @f(%x: f32, %y: f32) -> f32 {{
      %one = arith.constant 1.0 : f32
      %half = arith.constant 0.5 : f32
      %root = arith.constant 1.41421354 : f32
      {first}
      %e = math.erf %d : f32
      %s = arith.addf %e, %one : f32
      %h = arith.mulf %s, %half : f32
      {last}
      return %r : f32
    }}"""
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        approximate_math(module)
        module.operation.verify()
        # Of the error function, and of no other: the places where its two parts meet and where it is 1.
        assert "9.375000e-01" in str(module)
        assert "4.000000e+00" in str(module)


@pytest.mark.slow
def test_scaling_by_the_processor_gives_the_same_numbers_over_the_whole_range() -> None:
    for x in sixteenths():
        (scaled,), (shifted,) = (computed(["math.exp"], x, [lanes], "approximate") for lanes in (32, 8))
        np.testing.assert_array_equal(scaled, shifted)


@pytest.mark.slow
@pytest.mark.parametrize("op", _ULPS)
def test_error_over_the_whole_range(op: str) -> None:
    for x in sixteenths():
        (result,) = computed([op], x, [32], "approximate")
        assert errors(op, x, result).max() <= _ULPS[op]
