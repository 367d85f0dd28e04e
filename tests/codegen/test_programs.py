"""Programs with loops, branches and calls around linalg ops: compiled with a schedule library, and right."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from harl_mlir.export.loaded import load
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for

_Matrix = NDArray[np.float32]
_M = "tensor<16x16xf32>"
_ZERO = f"""%z = arith.constant 0.0 : f32
  %e = tensor.empty() : {_M}"""
_PRODUCT = f"""%i = linalg.fill ins(%z : f32) outs(%e : {_M}) -> {_M}
    %c = linalg.matmul ins(%x, %b : {_M}, {_M}) outs(%i : {_M}) -> {_M}"""
_STEP = f"""
func.func private @step(%x: {_M}, %b: {_M}) -> ({_M}, {_M}) {{
  {_ZERO}
    {_PRODUCT}
  return %c, %x : {_M}, {_M}
}}"""
_BOUNDS = "%c0 = arith.constant 0 : index\n  %c1 = arith.constant 1 : index"
_LOOP = f"""
func.func @main(%n: index, %a: {_M}, %b: {_M}) -> {_M} {{
  {_ZERO}
  {_BOUNDS}
  %r = scf.for %k = %c0 to %n step %c1 iter_args(%x = %a) -> {_M} {{
    {_PRODUCT}
    scf.yield %c : {_M}
  }}
  return %r : {_M}
}}"""
_CALLING_LOOP = f"""{_STEP}
func.func @main(%n: index, %a: {_M}, %b: {_M}) -> {_M} {{
  {_BOUNDS}
  %r = scf.for %k = %c0 to %n step %c1 iter_args(%x = %a) -> {_M} {{
    %c, %d = func.call @step(%x, %b) : ({_M}, {_M}) -> ({_M}, {_M})
    scf.yield %c : {_M}
  }}
  return %r : {_M}
}}"""
_WHILE = f"""
func.func @main(%n: index, %a: {_M}, %b: {_M}) -> {_M} {{
  {_ZERO}
  {_BOUNDS}
  %r:2 = scf.while (%x = %a, %k = %c0) : ({_M}, index) -> ({_M}, index) {{
    %p = arith.cmpi slt, %k, %n : index
    scf.condition(%p) %x, %k : {_M}, index
  }} do {{
  ^bb0(%x: {_M}, %k: index):
    {_PRODUCT}
    %next = arith.addi %k, %c1 : index
    scf.yield %c, %next : {_M}, index
  }}
  return %r#0 : {_M}
}}"""
_SWAPPED = f"""
func.func @main(%n: index, %a: {_M}, %b: {_M}) -> ({_M}, {_M}) {{
  {_BOUNDS}
  %r:2 = scf.for %k = %c0 to %n step %c1 iter_args(%x = %a, %y = %b) -> ({_M}, {_M}) {{
    %c = linalg.matmul ins(%x, %b : {_M}, {_M}) outs(%y : {_M}) -> {_M}
    scf.yield %c, %x : {_M}, {_M}
  }}
  return %r#0, %r#1 : {_M}, {_M}
}}"""
_BRANCHES = f"""{_STEP}
func.func @main(%n: index, %a: {_M}, %b: {_M}) -> ({_M}, {_M}) {{
  {_ZERO}
  {_BOUNDS}
  %p = arith.cmpi sgt, %n, %c0 : index
  %r:2 = scf.if %p -> ({_M}, {_M}) {{
    %s:2 = func.call @step(%a, %b) : ({_M}, {_M}) -> ({_M}, {_M})
    %d = linalg.add ins(%s#0, %b : {_M}, {_M}) outs(%e : {_M}) -> {_M}
    scf.yield %s#0, %d : {_M}, {_M}
  }} else {{
    %d = linalg.exp ins(%a : {_M}) outs(%e : {_M}) -> {_M}
    scf.yield %d, %a : {_M}, {_M}
  }}
  %t:2 = func.call @step(%r#1, %b) : ({_M}, {_M}) -> ({_M}, {_M})
  return %r#0, %t#0 : {_M}, {_M}
}}"""


def _powers(n: int, a: _Matrix, b: _Matrix) -> list[_Matrix]:
    for _ in range(n):
        a = a @ b
    return [a]


def _swapped(n: int, a: _Matrix, b: _Matrix) -> list[_Matrix]:
    x, y = a, b
    for _ in range(n):
        x, y = x @ b + y, x
    return [x, y]


def _branches(n: int, a: _Matrix, b: _Matrix) -> list[_Matrix]:
    first, second = (a @ b, a @ b + b) if n else (np.exp(a), a)
    return [first, second @ b]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as own:
        yield own


@pytest.mark.parametrize(
    ("text", "wanted", "tasks"),
    [
        (_LOOP, _powers, 0),
        (_CALLING_LOOP, _powers, 1),
        (_WHILE, _powers, 0),
        (_SWAPPED, _swapped, 0),
        (_BRANCHES, _branches, 1),
    ],
    ids=["loop", "calls in a loop", "while", "swapped", "branches"],
)
def test_a_program_is_compiled_and_right(pool: Pool, text: str, wanted: object, tasks: int) -> None:
    assert callable(wanted)
    found = pool.analyse(text, "kernel.mlir").tasks if tasks else ()
    assert len(found) == tasks
    library = (
        pool.library([(t, sketches_for(t, this_processor())[0].default()) for t in found]) if tasks else None
    )
    made = pool.compile(text, "kernel.mlir", library)
    main = load(made.object, made.functions)["main"]
    rng = np.random.default_rng(2)
    a, b = (rng.standard_normal((16, 16)).astype(np.float32) / 4 for _ in range(2))
    for n in (0, 1, 4):
        results = main(n, a, b)
        for result, right in zip(
            results if isinstance(results, tuple) else [results], wanted(n, a, b), strict=True
        ):
            np.testing.assert_allclose(result, right, rtol=1e-4, atol=1e-5)
