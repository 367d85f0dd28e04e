"""f64 rounded to f16 and bf16: once, to the nearest, by any processor, with no function of a compiler's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from harl_mlir.codegen.elf import undefined_symbols
from harl_mlir.codegen.target import Target
from harl_mlir.export.loaded import load
from harl_mlir.measure.pool import Pool

_COUNT = 4096

ROUNDED = """
func.func @rounded(%x: tensor<4096xf64>, %e: tensor<4096xTYPE>) -> tensor<4096xTYPE> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %half = arith.constant 2048 : index
  %n = arith.constant 4096 : index
  %z = arith.constant 0.0 : f64
  %zero = arith.constant 0.0 : TYPE
  %start = linalg.fill ins(%zero : TYPE) outs(%e : tensor<4096xTYPE>) -> tensor<4096xTYPE>
  %r = scf.for %i = %c0 to %half step %c16 iter_args(%t = %start) -> tensor<4096xTYPE> {
    %v = vector.transfer_read %x[%i], %z {in_bounds = [true]} : tensor<4096xf64>, vector<16xf64>
    %w = arith.truncf %v : vector<16xf64> to vector<16xTYPE>
    %s = vector.transfer_write %w, %t[%i] {in_bounds = [true]} : vector<16xTYPE>, tensor<4096xTYPE>
    scf.yield %s : tensor<4096xTYPE>
  }
  %q = scf.for %i = %half to %n step %c1 iter_args(%t = %r) -> tensor<4096xTYPE> {
    %v = tensor.extract %x[%i] : tensor<4096xf64>
    %w = arith.truncf %v : f64 to TYPE
    %s = tensor.insert %w into %t[%i] : tensor<4096xTYPE>
    scf.yield %s : tensor<4096xTYPE>
  }
  return %q : tensor<4096xTYPE>
}
"""

IN_BODIES = """
func.func @sums(%x: tensor<5x7xf64>, %y: tensor<7x3xf64>, %c: tensor<5x3xbf16>, %h: tensor<9xf16>)
    -> (tensor<5x3xbf16>, tensor<9xf16>) {
  %s = linalg.matmul ins(%x, %y : tensor<5x7xf64>, tensor<7x3xf64>) outs(%c : tensor<5x3xbf16>)
    -> tensor<5x3xbf16>
  %f = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]} ins(%h : tensor<9xf16>) outs(%h : tensor<9xf16>) {
  ^bb0(%a: f16, %o: f16):
    %p = math.fma %a, %a, %o : f16
    linalg.yield %p : f16
  } -> tensor<9xf16>
  return %s, %f : tensor<5x3xbf16>, tensor<9xf16>
}
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as own:
        yield own


def _middles(element: str) -> NDArray[np.float64]:
    """Numbers of the type, the middles between them, and what lies as close beside these as f64 can tell."""
    bits = np.random.default_rng(7).integers(
        0, 0x7F80 if element == "bf16" else 0x7C00, _COUNT // 4, dtype=np.uint16
    )
    # Zero, the least and the largest subnormal, the least normal, one, the largest.
    first = (0, 1, 0x7F, 0x80, 0x3F80, 0x7F7F) if element == "bf16" else (
        0, 1, 0x3FF, 0x400, 0x3C00, 0x7BFF
    )  # fmt: skip
    bits[: len(first)] = first
    low, high = (_exact(each, element) for each in (bits, bits + np.uint16(1)))
    with np.errstate(all="ignore"):
        middle = np.where(
            np.isfinite(high), (low + high) / 2, low * (1 + 2.0 ** (-9 if element == "bf16" else -12))
        )
        signs = np.where(np.arange(len(bits)) % 2, 1.0, -1.0)
        found = [low, middle, np.nextafter(middle, 0), np.nextafter(middle, np.inf)]
        return np.stack([each * signs for each in found], axis=1).reshape(-1)


def _exact(bits: NDArray[np.uint16], element: str) -> NDArray[np.float64]:
    if element == "f16":
        return bits.view(np.float16).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)


def _nearest(x: NDArray[np.float64], element: str) -> NDArray[np.uint16]:
    """The bits of the nearest number of the type, of two the even one: by arithmetic that is exact."""
    digits, least = (8, -133) if element == "bf16" else (11, -24)
    largest = _exact(np.array([0x7F7F if element == "bf16" else 0x7BFF], np.uint16), element)[0]
    with np.errstate(all="ignore"):
        _, exponent = np.frexp(x)
        unit = np.ldexp(1.0, np.maximum(exponent - digits, least))
        # Units are powers of two, and `rint` takes the even one of two.
        near = np.where(np.isfinite(x), np.rint(x / unit) * unit, x)
        near = np.where(np.abs(near) > largest, np.copysign(np.inf, x), near)
        if element == "f16":
            return near.astype(np.float16).view(np.uint16)
        return (near.astype(np.float32).view(np.uint32) >> np.uint32(16)).astype(np.uint16)


@pytest.mark.parametrize("element", ["bf16", "f16"])
@pytest.mark.parametrize("cpu", [None, "x86-64-v4", "x86-64-v3"])
def test_rounding_is_that_of_one_step(pool: Pool, element: str, cpu: str | None) -> None:
    x = np.random.default_rng(3).permutation(_middles(element))
    made = pool.compile(ROUNDED.replace("TYPE", element), "kernel.mlir", target=cpu and Target(cpu))
    assert not [name for name in undefined_symbols(made.object) if name.startswith("__")]
    kernel = load(made.object, made.functions)["rounded"]
    bits = kernel(x, np.zeros(_COUNT, np.float16 if element == "f16" else np.uint16)).view(np.uint16)
    # The instruction for bf16 makes zeros of subnormal numbers.
    kept = np.abs(x) >= 2.0**-126 if element == "bf16" and cpu is None else np.isfinite(x)
    np.testing.assert_array_equal(bits[kept], _nearest(x, element)[kept])


@pytest.mark.parametrize("element", ["bf16", "f16"])
def test_what_is_no_number_stays_none(pool: Pool, element: str) -> None:
    x = np.array([np.nan, -np.nan] * (_COUNT // 2))
    # One whose payload is in its last bits alone.
    x.view(np.uint64)[7::16] = 0x7FF0000000000001
    made = pool.compile(ROUNDED.replace("TYPE", element), "kernel.mlir")
    kernel = load(made.object, made.functions)["rounded"]
    bits = kernel(x, np.zeros(_COUNT, np.float16 if element == "f16" else np.uint16)).view(np.uint16)
    assert np.isnan(_exact(bits, element)).all()


@pytest.mark.parametrize("cpu", [None, "x86-64-v3"])
def test_bodies_of_named_ops_and_multiply_adds_of_f16(pool: Pool, cpu: str | None) -> None:
    made = pool.compile(IN_BODIES, "kernel.mlir", target=cpu and Target(cpu))
    assert not [name for name in undefined_symbols(made.object) if name.startswith("__")]
    ones = np.ones((5, 7)), np.ones((7, 3))
    h = np.array([0.5, 1.5, -2, 3, 1e-3, 255, 256, 0, 6e-8], np.float16)
    sums, products = load(made.object, made.functions)["sums"](*ones, np.zeros((5, 3), np.uint16), h)
    np.testing.assert_array_equal(_exact(sums.view(np.uint16), "bf16"), np.full((5, 3), 7.0))
    with np.errstate(over="ignore"):
        wanted = (h.astype(np.float64) * h + h).astype(np.float16)
    np.testing.assert_array_equal(products, wanted)


_FUNCTIONS = ("exp", "tanh", "erf", "rsqrt", "floor", "absf", "roundeven", "powf", "fma", "atan2", "copysign")


def test_functions_of_bf16_call_nothing_of_compilers(pool: Pool) -> None:
    bodies = []
    for number, name in enumerate(_FUNCTIONS):
        taken = {"fma": 3, "powf": 2, "atan2": 2, "copysign": 2}.get(name, 1)
        given = ", ".join(["%x"] + [f"%y{number - 1}" if number else "%x"] * (taken - 1))
        bodies.append(f"%y{number} = math.{name} {given} : bf16")
    total = "\n    ".join(bodies)
    text = f"""
func.func @all(%a: tensor<33xbf16>, %e: tensor<33xbf16>) -> tensor<33xbf16> {{
  %r = linalg.generic {{indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]}} ins(%a : tensor<33xbf16>) outs(%e : tensor<33xbf16>) {{
  ^bb0(%x: bf16, %o: bf16):
    {total}
    linalg.yield %y{len(_FUNCTIONS) - 1} : bf16
  }} -> tensor<33xbf16>
  return %r : tensor<33xbf16>
}}
"""
    for cpu in ("x86-64", "x86-64-v3", "x86-64-v4"):
        made = pool.compile(text, "kernel.mlir", target=Target(cpu))
        assert not [name for name in undefined_symbols(made.object) if name.startswith("__")]
