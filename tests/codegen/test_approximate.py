"""The polynomials of `approximate` accuracy, against double precision over all magnitudes."""

from __future__ import annotations

import numpy as np
import pytest

from harl_mlir.codegen.approximate import approximate_math
from harl_mlir.mlir import ir
from harl_mlir.processor import AVX512, this_processor
from tests.codegen.math_errors import Floats, computed, errors, exactly, singles, sixteenths

_PLAIN = {
    "math.exp": 1.3,
    "math.log": 1.0,
    "math.tanh": 2.5,
    "math.erf": 1.5,
    "math.sqrt": 0.5,
    "math.rsqrt": 1.5,
}
_HAS_TABLES = AVX512 in this_processor().features
_ULPS = {**_PLAIN, **({"math.exp": 1.0, "math.tanh": 1.2} if _HAS_TABLES else {})}
"""By the polynomials that the processor gets."""
_GELUS = ("gelu", "gelu_of_half", "gelu_of_product")
_GELUS_BY_TANH = ("gelu_tanh", "gelu_tanh_of_half", "gelu_tanh_of_power")


@pytest.mark.parametrize("tables", [True, False])
def test_error(tables: bool) -> None:
    x = singles(1 << 18)
    bounds = _ULPS if tables else _PLAIN
    by_vectors = computed([*bounds], x, [2, 16], "approximate", tables)
    by_scalars = computed([*bounds], x, None, "approximate", tables)
    for (op, ulps), one, other in zip(bounds.items(), by_vectors, by_scalars, strict=True):
        known = ~np.isnan(one)
        np.testing.assert_array_equal(one.view(np.uint32)[known], other.view(np.uint32)[known])
        assert errors(op, x, one).max() <= ulps, op
        if op in ("math.tanh", "math.erf"):
            assert np.nanmax(np.abs(one - exactly(op, x))) <= 2e-7


@pytest.mark.parametrize("shape", [[1], [5], [8], [24], [3, 20], [2, 1, 32]])
def test_vectors_of_any_length_give_the_same_numbers(shape: list[int]) -> None:
    x = singles(1 << 14)[: (1 << 14) // 480 * 480]
    ops = ["math.exp", "math.tanh", "gelu", "gelu_tanh"]
    for one, other in zip(
        computed(ops, x, [32], "approximate"), computed(ops, x, shape, "approximate"), strict=True
    ):
        known = ~np.isnan(one)
        np.testing.assert_array_equal(one.view(np.uint32)[known], other.view(np.uint32)[known])
        np.testing.assert_array_equal(np.isnan(other), ~known)


@pytest.mark.parametrize(
    ("kind", "features", "calls"),
    [
        ("vector<64xf32>", [AVX512], 4),
        ("vector<2x16xf32>", [AVX512], 2),
        ("vector<2x1x32xbf16>", [AVX512], 4),
        ("vector<24xf32>", [AVX512], 2),
        ("vector<3x5xf32>", [AVX512], 3),
        ("vector<f32>", [AVX512], 1),
        ("f32", [AVX512], 1),
        ("vector<64xf32>", ["avx2"], 0),
    ],
)
def test_registers_are_looked_up_and_scaled_where_the_processor_can(
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
        assert str(module).count("call @llvm.x86.avx512.permvar.sf.512(") == calls
        assert ("arith.shli" in str(module)) == (calls == 0)


@pytest.mark.parametrize("tables", [True, False])
def test_error_of_gelu(tables: bool) -> None:
    x = singles(1 << 18)
    for result in computed(_GELUS, x, [64], "approximate", tables):
        _check_gelu(x, exactly("gelu", x), result, 1.2e-7, 4.5)


@pytest.mark.parametrize("tables", [True, False])
def test_error_of_gelu_by_tanh(tables: bool) -> None:
    x = singles(1 << 18)
    as_a_whole = tables and _HAS_TABLES
    if not as_a_whole:
        # 1 + tanh is taken times x, of which beyond 12 nothing but x or zero is left.
        x = x[~(np.abs(x) > 12)]
    for result in computed(_GELUS_BY_TANH, x, [2], "approximate", tables):
        _check_gelu(x, exactly("gelu_tanh", x), result, 1.2e-7 if as_a_whole else 1.5e-6, 4.5)


@np.errstate(all="ignore")
def _check_gelu(x: Floats, exact: Floats, result: Floats, absolute: float, ulps: float) -> None:
    """Absolutely up to zero, relatively beyond."""
    np.testing.assert_array_equal(np.isnan(result), np.isnan(x))
    np.testing.assert_array_equal(result[x == np.inf], np.inf)
    assert (result[x == -np.inf] == 0).all()
    np.testing.assert_array_equal(np.signbit(result[x == 0]), np.signbit(x[x == 0]))
    finite = np.isfinite(x)
    off = np.abs(result - exact)[finite]
    ulp = np.spacing(np.abs(exact[finite]).astype(np.float32))
    assert off[x[finite] <= 0].max() <= absolute
    assert (off / ulp)[x[finite] > 0].max() <= ulps


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
@pytest.mark.parametrize("op", ["gelu", "gelu_tanh"])
def test_error_of_gelus_over_the_whole_range(op: str) -> None:
    for x in sixteenths():
        if op == "gelu_tanh" and not _HAS_TABLES:
            x = np.clip(x, -12, 12)
        (result,) = computed([op], x, [32], "approximate")
        bound = 1.2e-7 if _HAS_TABLES or op == "gelu" else 1.5e-6
        finite = np.isfinite(x)
        off = np.abs(result - exactly(op, x))[finite]
        ulp = np.spacing(np.abs(exactly(op, x)[finite]).astype(np.float32))
        assert off[x[finite] <= 0].max(initial=0) <= bound
        assert (off / ulp)[x[finite] > 0].max(initial=0) <= 4.5


@pytest.mark.slow
@pytest.mark.parametrize("op", _ULPS)
def test_error_over_the_whole_range(op: str) -> None:
    for x in sixteenths():
        (result,) = computed([op], x, [32], "approximate")
        assert errors(op, x, result).max() <= _ULPS[op]
