"""Objects made by `Pool.compile`, linked, loaded, and called."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.errors import InputError
from harl_mlir.export.link import link_shared
from harl_mlir.export.loaded import Loaded, load
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for

SEVERAL = """
func.func private @half(%x: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %h = arith.constant dense<[[0.5, 0.5, 0.5, 0.5, 0.5, 2.0]]> : tensor<1x6xf32>
  %w = tensor.collapse_shape %h [[0, 1]] : tensor<1x6xf32> into tensor<6xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%w : tensor<6xf32>) outs(%x : tensor<4x6xf32>) {
    ^bb0(%a: f32, %b: f32):
      %p = arith.mulf %a, %b : f32
      linalg.yield %p : f32
  } -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}
func.func @accumulate(%A: tensor<4x5xf32>, %B: tensor<5x6xf32>, %C: tensor<4x6xf32>, %s: f32)
    -> (tensor<4x6xf32>, f32, tensor<4x6xf32>) {
  %0 = linalg.matmul ins(%A, %B : tensor<4x5xf32>, tensor<5x6xf32>)
                     outs(%C : tensor<4x6xf32>) -> tensor<4x6xf32>
  %1 = func.call @half(%0) : (tensor<4x6xf32>) -> tensor<4x6xf32>
  %t = arith.addf %s, %s : f32
  return %0, %t, %1 : tensor<4x6xf32>, f32, tensor<4x6xf32>
}
func.func @"on memrefs"(%a: memref<4x5xf32>, %b: memref<5x6xf32>, %c: memref<4x6xf32, strided<[8, 1]>>) {
  linalg.matmul ins(%a, %b : memref<4x5xf32>, memref<5x6xf32>) outs(%c : memref<4x6xf32, strided<[8, 1]>>)
  return
}
func.func @same(%a: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}
"""
MATMUL = """
func.func @product(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>, %c: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %r = linalg.matmul ins(%a, %b : tensor<64x64xf32>, tensor<64x64xf32>) outs(%c : tensor<64x64xf32>)
      -> tensor<64x64xf32>
  return %r : tensor<64x64xf32>
}
"""
ON_MEMREF = """func.func @f(%m: memref<4x4xf32{0}>) {{
  linalg.exp ins(%m : memref<4x4xf32{0}>) outs(%m : memref<4x4xf32{0}>)
  return
}}
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as own:
        yield own


def default_library(pool: Pool) -> str:
    """What this processor's default schedule for the matmul is."""
    (task,) = pool.analyse(MATMUL, "kernel.mlir").tasks
    return pool.library([(task, sketches_for(task, this_processor())[0].default())])


@pytest.fixture(scope="module")
def library(pool: Pool) -> str:
    return default_library(pool)


@pytest.fixture(scope="module")
def several(pool: Pool) -> Loaded:
    made = pool.compile(SEVERAL, "kernel.mlir")
    return load(made.object, made.functions)


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def test_results_are_right_and_inputs_stay(several: Loaded) -> None:
    a, b, c = drawn(4, 5), drawn(5, 6), drawn(4, 6)
    held = [x.copy() for x in (a, b, c)]
    product, twice, scaled = several["accumulate"](a, b, c, 1.5)
    expected = c + a @ b
    np.testing.assert_allclose(product, expected, rtol=1e-5)
    np.testing.assert_allclose(scaled, expected * np.array([0.5] * 5 + [2.0]), rtol=1e-5)
    assert twice == 3.0
    assert twice.shape == ()
    for now, before in zip((a, b, c), held, strict=True):
        np.testing.assert_array_equal(now, before)


def test_memrefs_are_written_in_place_by_their_strides(several: Loaded) -> None:
    function = several["on memrefs"].function
    assert function.symbol == "on_memrefs"
    assert [p.role for p in function.parameters] == ["in", "in", "inout"]
    assert [p.strides for p in function.parameters] == [(5, 1), (6, 1), (8, 1)]
    a, b, wide = drawn(4, 5), drawn(5, 6), np.full((4, 8), 7, np.float32)
    assert several["on memrefs"](a, b, wide[:, :6]) is None
    np.testing.assert_allclose(wide[:, :6], 7 + a @ b, rtol=1e-5)
    assert (wide[:, 6:] == 7).all()


def test_a_returned_argument_is_copied(several: Loaded) -> None:
    given, out = np.arange(4, dtype=np.float32), np.zeros(4, np.float32)
    assert several["same"](given, out=[out]) is out
    np.testing.assert_array_equal(out, given)


def test_names_roles_and_private_functions(several: Loaded) -> None:
    assert list(several) == ["accumulate", "on memrefs", "same"]
    parameters = several["accumulate"].function.parameters
    assert [(p.name, p.role) for p in parameters] == [
        ("A", "in"), ("B", "in"), ("C", "in"), ("s", "in"), ("out0", "out"), ("out1", "out"), ("out2", "out"),
    ]  # fmt: skip


def test_wrong_arrays_are_refused(several: Loaded) -> None:
    same, a = several["same"], np.zeros(4, np.float32)
    with pytest.raises(TypeError, match="takes 1 arguments, not 2"):
        same(a, a)
    with pytest.raises(TypeError, match="elements of float32, not float64"):
        same(a.astype(np.float64))
    with pytest.raises(ValueError, match="shape"):
        same(a[:3])
    with pytest.raises(ValueError, match="strides"):
        same(np.zeros(8, np.float32)[::2])
    with pytest.raises(TypeError, match="NumPy array"):
        same([0.0] * 4)
    with pytest.raises(ValueError, match="overlaps"):
        same(a, out=[a])
    with pytest.raises(ValueError, match="not aligned"):
        same(np.zeros(17, np.uint8)[1:].view(np.float32))
    locked = np.zeros(4, np.float32)
    locked.flags.writeable = False
    assert same(locked) is not None
    with pytest.raises(ValueError, match="read-only"):
        same(a, out=[locked])


def test_a_library_is_applied_and_inputs_stay(pool: Pool, library: str) -> None:
    made = pool.compile(MATMUL, "kernel.mlir", library)
    assert [o.matched for o in made.outcomes] == [True]
    a, b, c = drawn(64, 64), drawn(64, 64) + 1, drawn(64, 64) + 2
    before = c.copy()
    product = load(made.object, made.functions)["product"](a, b, c)
    np.testing.assert_allclose(product, before + a @ b, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(c, before)
    assert not any(o.matched for o in pool.compile(MATMUL.replace("64x", "32x"), "k.mlir", library).outcomes)


def test_only_what_is_public_is_exported_and_only_libm_and_libc_are_called(
    pool: Pool, tmp_path: Path
) -> None:
    kernel = SEVERAL.replace("arith.mulf %a, %b : f32\n", "math.tanh %a : f32\n")
    made = pool.compile(kernel, "kernel.mlir")
    out = tmp_path / "k.so"
    link_shared(made.object, out)  # refuses what neither libm nor libc has
    shown = subprocess.run(["nm", "-D", "--defined-only", out], capture_output=True, text=True, check=True)
    assert {line.split()[2] for line in shown.stdout.splitlines()} == {"accumulate", "on_memrefs", "same"}


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (MATMUL.replace("@product", "private @product"), "no public function"),
        (
            "func.func private @other(tensor<64x64xf32>)\n"
            + MATMUL.replace("return", "call @other(%a) : (tensor<64x64xf32>) -> ()\n  return"),
            r"kernel.mlir:1:1: @other has no body",
        ),
        (MATMUL.replace("64x64xf32", "?x?xf32"), "unknown sizes"),
        (MATMUL.replace("@product", '@"a.b"') + MATMUL.replace("@product", '@"a b"'), "would both be a_b"),
        (MATMUL.replace("%c: tensor", "%v: vector<4xf32>, %c: tensor"), "for which C has no type"),
        (MATMUL.replace("xf32", "xi4"), "elements of i4"),
        ("memref.global @g : memref<4xf32>\n" + MATMUL, r"kernel.mlir:1:1: @g has no value"),
        (ON_MEMREF.format(", affine_map<(i, j) -> (j, i)>"), "layout has to be one of strides"),
        (ON_MEMREF.format(", strided<[?, 1], offset: ?>"), "layout has to be static and begin at 0"),
        (ON_MEMREF.format(", 3"), "memory space"),
        (
            MATMUL.replace(
                "return %r", "%s = tosa.exp %r : (tensor<64x64xf32>) -> tensor<64x64xf32>\n  return %s"
            ),
            r"kernel.mlir:5:8: it cannot be lowered: op was not bufferized",
        ),
        (
            MATMUL.replace("return", "%i = arith.constant 1 : index\n  vector.print %i : index\n  return"),
            r"the code would call print\w+, which is not in libc or libm",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused(pool: Pool, kernel: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pool.compile(kernel, "kernel.mlir")


def test_names_of_libc_and_keywords_get_an_underscore(pool: Pool) -> None:
    kernel = "".join(
        MATMUL.replace("@product", name)
        for name in ("@exp", "@double", "@main", '@"3x"', "@_mlir_product", "@product")
    )
    made = pool.compile(kernel.replace("%a", "%int"), "kernel.mlir")
    assert [f.symbol for f in made.functions] == [
        "exp_",
        "double_",
        "main_",
        "kernel_3x",
        "kernel_mlir_product",
        "product",
    ]
    assert made.functions[0].parameters[0].name == "int_"
    (only,) = pool.compile(kernel, "kernel.mlir", function="exp").functions
    assert only.name == "exp"


def test_names_of_the_program_never_meet_those_of_the_lowering(pool: Pool) -> None:
    kernel = """
    memref.global "private" constant @malloc : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
    func.func private @expf(%x: tensor<4xf32>) -> tensor<4xf32> {
      %r = linalg.exp ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
      return %r : tensor<4xf32>
    }
    func.func @"harl.inner.0"(%x: tensor<4xf32>) -> tensor<4xf32> {
      %m = memref.get_global @malloc : memref<4xf32>
      %c = bufferization.to_tensor %m restrict : memref<4xf32> to tensor<4xf32>
      %s = linalg.add ins(%x, %c : tensor<4xf32>, tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
      %r = call @expf(%s) : (tensor<4xf32>) -> tensor<4xf32>
      return %r : tensor<4xf32>
    }
    """
    made = pool.compile(kernel, "kernel.mlir")
    x = np.zeros(4, np.float32)
    got = load(made.object, made.functions)["harl.inner.0"](x)
    np.testing.assert_allclose(got, np.exp([1.0, 2, 3, 4]), rtol=1e-5)


def test_shapes_are_set(pool: Pool) -> None:
    made = pool.compile(
        MATMUL.replace("64x64xf32", "?x?xf32"), "k.mlir", shapes={"a": (3, 5), "b": (5, 7), "c": (3, 7)}
    )
    a, b, c = drawn(3, 5), drawn(5, 7), drawn(3, 7)
    np.testing.assert_allclose(load(made.object, made.functions)["product"](a, b, c), c + a @ b, rtol=1e-5)


@pytest.mark.parametrize("element", ["f16", "bf16", "i8", "i32", "f64", "i1"])
def test_element_types_and_scalars(pool: Pool, element: str) -> None:
    kernel = f"""func.func @fill(%s: {element}) -> tensor<3x2x{element}> {{
      %e = tensor.empty() : tensor<3x2x{element}>
      %r = linalg.fill ins(%s : {element}) outs(%e : tensor<3x2x{element}>) -> tensor<3x2x{element}>
      return %r : tensor<3x2x{element}>
    }}"""
    made = pool.compile(kernel, "kernel.mlir")
    filled = load(made.object, made.functions)["fill"](1)
    one = 0x3F80 if element == "bf16" else 1
    np.testing.assert_array_equal(filled, np.full((3, 2), one, filled.dtype))
