"""Objects keep the value semantics of tensors: whatever is computed in place, inputs stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from harl_mlir.export.loaded import LoadedFunction, load
from harl_mlir.measure.pool import Pool

T, M = "tensor<4x6xf32>", "memref<4x6xf32>"
EXP = f"%r = linalg.exp ins(%a : {T}) outs(%a : {T}) -> {T}"
IDENTITY = "affine_map<(i, j) -> (i, j)>"
HELPER = f"""@helper(%x: {T}, %y: {T}) -> {T} {{
  %r = linalg.add ins(%x, %y : {T}, {T}) outs(%x : {T}) -> {T}
  return %r : {T}
}}
"""
Expected = Callable[..., tuple[Any, ...]]


def inserted(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    c = a.copy()
    c[1:3, 2:5] = b
    return c


TENSORS: dict[str, tuple[str, Expected]] = {
    "returned twice": (
        f"(%a: {T}) -> ({T}, {T}) {{ {EXP} return %r, %r : {T}, {T} }}",
        lambda a: (np.exp(a), np.exp(a)),
    ),
    "returned as it was": (
        f"(%a: {T}) -> ({T}, {T}) {{ {EXP} return %a, %r : {T}, {T} }}",
        lambda a: (a, np.exp(a)),
    ),
    "swapped": (
        f"""(%a: {T}, %b: {T}) -> ({T}, {T}, {T}) {{
          %r = linalg.exp ins(%a : {T}) outs(%b : {T}) -> {T}
          return %b, %a, %r : {T}, {T}, {T} }}""",
        lambda a, b: (b, a, np.exp(a)),
    ),
    "constant as a start": (
        """(%a: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
          %c = arith.constant dense<[[1., 2., 3.], [4., 5., 6.]]> : tensor<2x3xf32>
          %r = linalg.add ins(%a, %a : tensor<2x3xf32>, tensor<2x3xf32>) outs(%c : tensor<2x3xf32>)
              -> tensor<2x3xf32>
          return %c, %r : tensor<2x3xf32>, tensor<2x3xf32> }""",
        lambda a: (np.array([[1, 2, 3], [4, 5, 6]]), a + a),
    ),
    "slice": (
        f"""(%a: {T}) -> (tensor<2x3xf32>, {T}) {{
          %s = tensor.extract_slice %a[1, 2] [2, 3] [1, 1] : {T} to tensor<2x3xf32>
          {EXP}
          return %s, %r : tensor<2x3xf32>, {T} }}""",
        lambda a: (a[1:3, 2:5], np.exp(a)),
    ),
    "insert": (
        f"""(%a: {T}, %b: tensor<2x3xf32>) -> ({T}, {T}) {{
          %s = tensor.insert_slice %b into %a[1, 2] [2, 3] [1, 1] : tensor<2x3xf32> into {T}
          {EXP}
          return %s, %r : {T}, {T} }}""",
        lambda a, b: (inserted(a, b), np.exp(a)),
    ),
    "collapse": (
        f"""(%a: {T}) -> (tensor<24xf32>, {T}) {{
          %s = tensor.collapse_shape %a [[0, 1]] : {T} into tensor<24xf32>
          {EXP}
          return %s, %r : tensor<24xf32>, {T} }}""",
        lambda a: (a.reshape(24), np.exp(a)),
    ),
    "calls": (
        f"""(%a: {T}) -> ({T}, {T}) {{
          %r = call @helper(%a, %a) : ({T}, {T}) -> {T}
          %s = call @helper(%r, %a) : ({T}, {T}) -> {T}
          return %r, %s : {T}, {T} }}""",
        lambda a: (a + a, a + a + a),
    ),
    "branches": (
        f"""(%a: {T}, %b: {T}, %c: i1) -> {T} {{
          cf.cond_br %c, ^x, ^y(%b : {T})
        ^x:
          {EXP}
          cf.br ^y(%r : {T})
        ^y(%v: {T}):
          return %v : {T} }}""",
        lambda a, b, c: (np.exp(a) if c else b,),
    ),
    "loop": (
        f"""(%a: {T}, %n: index) -> {T} {{
          %zero = arith.constant 0 : index
          %one = arith.constant 1 : index
          %r = scf.for %i = %zero to %n step %one iter_args(%x = %a) -> {T} {{
            %y = linalg.add ins(%x, %a : {T}, {T}) outs(%x : {T}) -> {T}
            scf.yield %y : {T}
          }}
          return %r : {T} }}""",
        lambda a, n: (a * (n + 1),),
    ),
    "scalars between tensors": (
        f"""(%a: {T}, %s: f32) -> (f32, tensor<f32>, index, i1) {{
          %e = tensor.from_elements %s : tensor<f32>
          %r = linalg.generic {{indexing_maps = [{IDENTITY}, affine_map<(i, j) -> ()>],
              iterator_types = ["reduction", "reduction"]}} ins(%a : {T}) outs(%e : tensor<f32>) {{
            ^bb0(%x: f32, %o: f32):
              %p = arith.addf %x, %o : f32
              linalg.yield %p : f32
          }} -> tensor<f32>
          %v = tensor.extract %r[] : tensor<f32>
          %i = arith.constant 7 : index
          %t = arith.constant true
          return %v, %r, %i, %t : f32, tensor<f32>, index, i1 }}""",
        lambda a, s: (a.sum() + s, a.sum() + s, 7, True),
    ),
    "truth values": (
        f"""(%a: {T}) -> tensor<4x6xi1> {{
          %z = arith.constant 0.0 : f32
          %e = tensor.empty() : tensor<4x6xi1>
          %r = linalg.generic {{indexing_maps = [{IDENTITY}, {IDENTITY}],
              iterator_types = ["parallel", "parallel"]}} ins(%a : {T}) outs(%e : tensor<4x6xi1>) {{
            ^bb0(%x: f32, %o: i1):
              %p = arith.cmpf ogt, %x, %z : f32
              linalg.yield %p : i1
          }} -> tensor<4x6xi1>
          return %r : tensor<4x6xi1> }}""",
        lambda a: (a > 0,),
    ),
    "no elements": (
        """(%a: tensor<0x6xf32>) -> tensor<0x6xf32> {
          %r = linalg.exp ins(%a : tensor<0x6xf32>) outs(%a : tensor<0x6xf32>) -> tensor<0x6xf32>
          return %r : tensor<0x6xf32> }""",
        lambda a: (a,),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as own:
        yield own


def compiled(pool: Pool, text: str) -> LoadedFunction:
    made = pool.compile(text, "kernel.mlir")
    return load(made.object, made.functions)["k"]


def arguments(function: LoadedFunction, truth: bool) -> list[Any]:
    rng = np.random.default_rng(0)
    scalars = {"f32": 1.5, "index": 3, "i1": truth}
    return [
        scalars[p.type.element] if p.type.is_scalar else rng.standard_normal(p.type.shape).astype(np.float32)
        for p in function.function.parameters
        if p.role != "out"
    ]


@pytest.mark.parametrize(("name", "helper"), [*((name, "private ") for name in TENSORS), ("calls", "")])
def test_values(pool: Pool, name: str, helper: str) -> None:
    text, expected = TENSORS[name]
    function = compiled(pool, f"func.func {helper}{HELPER}func.func @k{text}")
    for truth in (True, False):
        given = arguments(function, truth)
        before = [np.copy(value) for value in given]
        answer = function(*given)
        results = answer if isinstance(answer, tuple) else (answer,)
        for now, old in zip(given, before, strict=True):
            np.testing.assert_array_equal(now, old)
        for result, wanted in zip(results, expected(*before), strict=True):
            np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-5)


def test_memrefs_are_inout_where_they_may_be_written(pool: Pool) -> None:
    swap = f"""(%a: {M}, %b: {M}, %c: {M}) -> {M} {{
      %m = memref.alloc() : {M}
      linalg.copy ins(%a : {M}) outs(%m : {M})
      linalg.copy ins(%b : {M}) outs(%a : {M})
      linalg.copy ins(%m : {M}) outs(%b : {M})
      linalg.exp ins(%c : {M}) outs(%m : {M})
      return %m : {M} }}"""
    function = compiled(pool, f"func.func @k{swap}")
    assert [p.role for p in function.function.parameters] == ["inout", "inout", "in", "out"]
    a, b, c = arguments(function, truth=True)
    was = [x.copy() for x in (a, b, c)]
    np.testing.assert_allclose(function(a, b, c), np.exp(c), rtol=1e-5)
    for now, wanted in zip((a, b, c), (was[1], was[0], was[2]), strict=True):
        np.testing.assert_array_equal(now, wanted)


def test_a_memref_in_control_flow_is_written_only_where_it_says(pool: Pool) -> None:
    function = compiled(
        pool,
        f"""func.func @k(%a: {M}, %b: {M}, %c: i1) {{
          scf.if %c {{ linalg.exp ins(%b : {M}) outs(%a : {M}) }}
          return }}""",
    )
    assert [p.role for p in function.function.parameters] == ["inout", "in", "in"]
    a, b, _ = arguments(function, truth=True)
    before = a.copy()
    function(a, b, False)
    np.testing.assert_array_equal(a, before)
    function(a, b, True)
    np.testing.assert_allclose(a, np.exp(b), rtol=1e-5)
