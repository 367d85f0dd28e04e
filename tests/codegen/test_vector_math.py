"""Calls of the system's vector math library, against wider numbers over all magnitudes."""

from __future__ import annotations

import numpy as np
import pytest

from harl_mlir.codegen.vector_library import LEVELS, is_in_libmvec, level_of
from harl_mlir.codegen.vector_math import exact_near_zero, vector_math
from harl_mlir.mlir import ir
from harl_mlir.processor import this_processor
from tests.codegen.math_errors import EXACT, SPECIAL, computed, errors, singles, sixteenths

_ULPS = 4.0
_OF_ONE = [op for op in EXACT if op not in ("math.powf", "math.atan2", "math.sqrt", "math.rsqrt")]
_NO_WIDER = ("math.erf", "math.erfc")

pytestmark = pytest.mark.skipif(
    not is_in_libmvec("_ZGVbN4v_expf"), reason="the system has no vector math library"
)


def _pairs(kind: type) -> np.ndarray:
    made = np.random.default_rng(5)
    some = np.array(SPECIAL)
    x = np.concatenate([np.exp(made.normal(0, 4, 16384)), np.repeat(some, len(some))])
    y = np.concatenate([made.normal(0, 6, 16384), np.tile(some, len(some))])
    held = len(x) // 64 * 64
    return np.stack([x[-held:], y[-held:]]).astype(kind)


def _doubles() -> np.ndarray:
    made = np.random.default_rng(7)
    bits = made.integers(0, 1 << 64, 16000, dtype=np.uint64).view(np.float64)
    near = made.uniform(-20, 20, 14000)
    far = made.uniform(-760, 760, 2768 - len(SPECIAL))
    return np.concatenate([bits, near, far, SPECIAL])


def test_error_in_single_precision() -> None:
    x = singles(1 << 16)
    for op, result in zip(_OF_ONE, computed(_OF_ONE, x, [2, 16]), strict=True):
        assert errors(op, x, result).max() <= _ULPS, op


def test_error_in_double_precision() -> None:
    x = _doubles()
    for op, result in zip(_OF_ONE, computed(_OF_ONE, x, [16]), strict=True):
        assert errors(op, x, result).max() <= _ULPS + (op in _NO_WIDER), op


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_error_of_functions_of_two(kind: type) -> None:
    pairs = _pairs(kind)
    ops = ["math.powf", "math.atan2"]
    for op, result in zip(ops, computed(ops, pairs, [32]), strict=True):
        assert errors(op, pairs, result).max() <= _ULPS, op


@pytest.mark.parametrize("shape", [[1], [3], [5], [16], [21], [3, 7], [2, 3, 16], [4, 2], [4, 16]])
def test_vectors_of_any_shape(shape: list[int]) -> None:
    size = int(np.prod(shape))
    x = np.linspace(-9, 9, size * 50).astype(np.float32)
    (result,) = computed(["math.exp"], x, shape)
    assert errors("math.exp", x, result).max() <= _ULPS


def test_half_precision_is_widened() -> None:
    x = np.arange(0, 1 << 16, dtype=np.uint16).view(np.float16)
    ops = ["math.exp", "math.log", "math.sin", "math.tanh"]
    for op, result in zip(ops, computed(ops, x, [32]), strict=True):
        assert errors(op, x, result).max() <= 0.51, op


def test_strict_is_the_math_library() -> None:
    x = singles(1 << 13)
    ops = ["math.exp", "math.log1p"]
    by_vectors = computed(ops, x, [16], "strict")
    by_scalars = computed(ops, x, None, "strict")
    for op, one, other in zip(ops, by_vectors, by_scalars, strict=True):
        np.testing.assert_array_equal(
            one.view(np.uint32)[~np.isnan(one)], other.view(np.uint32)[~np.isnan(one)]
        )
        assert errors(op, x, one).max() <= 1.0, op


def _module(body: str) -> ir.Module:
    return ir.Module.parse(f"func.func @f(%a: vector<24xf32>, %b: f32, %c: vector<f32>) {{ {body} return }}")


def test_what_is_called_where() -> None:
    names = {
        "avx512": ["_ZGVeN16v_tanhf", "_ZGVdN8v_tanhf"],
        "avx2": ["_ZGVdN8v_tanhf"] * 3,
        "avx": ["_ZGVcN8v_tanhf"] * 3,
        "sse": ["_ZGVbN4v_tanhf"] * 6,
    }
    assert set(names) == set(LEVELS)
    for level, called in names.items():
        with ir.Context(), ir.Location.unknown():
            module = _module("%0 = math.tanh %a : vector<24xf32> %1 = math.tanh %b : f32")
            assert vector_math(module, level) == 1
            module.operation.verify()
            text = str(module)
        assert [line.split("@")[1].split("(")[0] for line in text.splitlines() if " call @" in line] == called
        assert text.count("math.tanh") == 1


def test_scalars_and_single_elements_are_left() -> None:
    body = "%0 = math.sin %b : f32 %1 = math.sin %c : vector<f32> %2 = math.floor %a : vector<24xf32>"
    with ir.Context(), ir.Location.unknown():
        module = _module(body)
        before = str(module)
        assert vector_math(module, "avx2") == 0
        assert exact_near_zero(module) == 0
        assert str(module) == before


def test_scalars_near_zero_have_all_their_digits() -> None:
    x = np.array([1e-20, -1e-20, 1e-8, -3e-7, 0.0, -0.0, 0.25, -0.75], np.float32)
    ops = ["math.log1p", "math.expm1"]
    for op, result in zip(ops, computed(ops, x, None), strict=True):
        assert errors(op, x, result).max() <= 1.0


def test_level_of_this_processor() -> None:
    assert level_of(this_processor().features) in LEVELS
    assert level_of(()) == "sse"
    assert level_of(("avx", "avx2", "fma")) == "avx2"


@pytest.mark.slow
@pytest.mark.parametrize("op", _OF_ONE)
def test_error_over_the_whole_range(op: str) -> None:
    for x in sixteenths():
        (result,) = computed([op], x, [32])
        assert errors(op, x, result).max() <= _ULPS
