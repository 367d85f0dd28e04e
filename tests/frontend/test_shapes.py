from __future__ import annotations

from collections.abc import Iterator

import pytest

from harl_mlir.errors import InputError
from harl_mlir.frontend.prepare import prepare
from harl_mlir.mlir import ir

MATMUL = """
func.func @mm(%A: tensor<?x?xf32>, %B: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %z = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %A, %c0 : tensor<?x?xf32>
  %e = tensor.empty(%m) : tensor<?x16xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
  %r = linalg.matmul ins(%A, %B : tensor<?x?xf32>, tensor<?x16xf32>)
                     outs(%f : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}
"""
INTO = """
func.func @into(%A: tensor<4x?xf32>, %B: tensor<?x?xf32>, %C: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %r = linalg.matmul ins(%A, %B : tensor<4x?xf32>, tensor<?x?xf32>)
                     outs(%C : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}
"""
BUFFERS = """
func.func @buffers(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  linalg.exp ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>)
  return
}
"""


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with ir.Context(), ir.Location.unknown():
        yield


def prepared(text: str, function: str | None = None, **shapes: tuple[int, ...]) -> str:
    keys = {key.replace("__", "."): shape for key, shape in shapes.items()}
    result = prepare(text, "k.mlir", function, keys)
    assert result.module.operation.verify()
    return str(result.module)


def refusal(text: str, function: str | None = None, **shapes: tuple[int, ...]) -> str:
    with pytest.raises(InputError) as caught:
        prepared(text, function, **shapes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("a", "b"), [("A", "B"), ("%A", "%B"), ("0", "1"), ("mm.A", "@mm.%B"), ("mm.0", "B")]
)
def test_every_spelling_of_an_argument(a: str, b: str) -> None:
    text = prepared(MATMUL, **{a: (4, 8), b: (8, 16)})
    assert "@mm(%arg0: tensor<4x8xf32>, %arg1: tensor<8x16xf32>) -> tensor<4x16xf32>" in text
    assert "?" not in text


def test_a_size_is_carried_to_an_init_that_is_an_argument() -> None:
    text = prepared(INTO, A=(4, 8), B=(8, 16))
    assert "%arg2: tensor<4x16xf32>) -> tensor<4x16xf32>" in text
    assert "cast" not in text


def test_memrefs() -> None:
    text = prepared(BUFFERS, x=(4, 8), y=(4, 8))
    assert "@buffers(%arg0: memref<4x8xf32>, %arg1: memref<4x8xf32>)" in text
    assert "linalg.exp ins(%0 : tensor<4x8xf32>) outs(%1 : tensor<4x8xf32>)" in text


def test_memref_layouts_are_kept() -> None:
    layout = "memref<?x8xf32, strided<[?, 1], offset: ?>>"
    text = prepared(BUFFERS.replace("memref<?x8xf32>", layout), x=(4, 8), y=(4, 8))
    assert "%arg0: memref<4x8xf32, strided<[?, 1], offset: ?>>" in text


def test_one_name_in_two_functions_and_a_function_left_alone() -> None:
    both = MATMUL + INTO
    text = prepared(both, A=(4, 8), B=(8, 16))
    assert text.count("%arg0: tensor<4x8xf32>") == 2
    only = prepared(both, "mm", A=(4, 8), B=(8, 16))
    assert "@into(%arg0: tensor<4x?xf32>" in only
    assert "@into(%arg0: tensor<4x?xf32>" in prepared(both, "@mm", A=(4, 8), B=(8, 16))


def test_static_input_is_left_as_it_was() -> None:
    static = prepared(MATMUL, A=(4, 8), B=(8, 16))
    assert prepared(static) == static
    assert prepared(static, arg0=(4, 8)) == static


def test_refusals_name_the_place_and_the_remedy() -> None:
    assert refusal(MATMUL) == (
        "k.mlir:2:15: %A, %B of @mm have unknown sizes; give them: --shape A=SIZExSIZE --shape B=SIZEx16"
    )
    assert refusal(INTO, "into", B=(8, 16), A=(4, 8), C=(4, 17)).startswith(
        "k.mlir:3:8: the sizes given do not fit together: 'linalg.matmul' op inferred"
    )
    assert refusal(MATMUL, Q=(1,)) == "k.mlir: --shape Q: there is no such argument; there are mm.A, mm.B"
    assert refusal(MATMUL, A=(4, 8, 2)) == (
        "k.mlir:2:15: --shape A=4x8x2: argument %A of @mm is a tensor<?x?xf32> and needs 2 sizes, not 3"
    )
    assert refusal(MATMUL, B=(8, 17)) == (
        "k.mlir:2:36: --shape B=8x17: argument %B of @mm is a tensor<?x16xf32>, so size 1 is fixed"
    )
    assert refusal(MATMUL, A=(-1, 8)) == "k.mlir:2:15: --shape A=-1x8: a size cannot be negative"
    assert refusal(MATMUL, **{"A": (4, 8), "0": (5, 8)}) == (
        "k.mlir:2:15: two --shape give argument %A of @mm different shapes"
    )
    assert refusal(MATMUL, "nope") == "k.mlir: there is no function @nope; those with linalg ops are @mm"
    empty = MATMUL + "func.func @g() { return }"
    assert refusal(empty, "g") == "k.mlir: function @g holds no linalg op; those with linalg ops are @mm"
    scalar = MATMUL.replace("(%A:", "(%s: f32, %A:")
    assert refusal(scalar, s=(4,)) == (
        "k.mlir:2:15: --shape s=4: argument %s of @mm is a f32, which has no shape"
    )


def test_shapes_that_contradict_each_other_are_refused() -> None:
    assert refusal(MATMUL, A=(4, 8), B=(9, 16)).startswith("k.mlir:8:8: ")


def test_a_called_function_is_refused() -> None:
    caller = """
    func.func @main(%A: tensor<?x?xf32>, %B: tensor<?x16xf32>) -> tensor<?x16xf32> {
      %r = call @mm(%A, %B) : (tensor<?x?xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
      return %r : tensor<?x16xf32>
    }"""
    assert refusal(MATMUL + caller, mm__A=(4, 8)) == (
        "k.mlir:14:12: @mm is called here, so its shapes cannot be set by --shape; inline it first"
    )
