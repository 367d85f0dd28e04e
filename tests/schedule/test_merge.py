"""One schedule library of two: the same as if both had been written at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from harl_mlir.errors import InputError
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for

PLAIN = """
func.func @plain(%a: tensor<16x24xf32>, %b: tensor<24x32xf32>, %c: tensor<16x32xf32>) -> tensor<16x32xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<16x24xf32>, tensor<24x32xf32>)
                     outs(%c : tensor<16x32xf32>) -> tensor<16x32xf32>
  return %0 : tensor<16x32xf32>
}
"""
FUSED = """
func.func @fused(%a: tensor<16x24xf32>, %b: tensor<24x32xf32>) -> tensor<16x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<16x32xf32>) -> tensor<16x32xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<16x24xf32>, tensor<24x32xf32>)
                     outs(%f : tensor<16x32xf32>) -> tensor<16x32xf32>
  return %0 : tensor<16x32xf32>
}
"""


def minus(first: str, second: str) -> str:
    return f"""
func.func @minus(%a: tensor<64xf32>, %b: tensor<64xf32>) -> tensor<64xf32> {{
  %e = tensor.empty() : tensor<64xf32>
  %0 = linalg.map ins(%a, %b : tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<64xf32>)
    (%x: f32, %y: f32, %o: f32) {{
      %d = arith.subf {first}, {second} : f32
      linalg.yield %d : f32
    }}
  return %0 : tensor<64xf32>
}}
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as started:
        yield started


def library(pool: Pool, kernel: str, sketch: int = 0) -> str:
    """Each task with the default of its sketch of this number."""
    tasks = pool.analyse(kernel, "k.mlir").tasks
    return pool.library([(t, sketches_for(t, this_processor())[sketch].default()) for t in tasks])


def applied(text: str) -> list[str]:
    return re.findall(r"include @apply_([0-9a-f]{16})", text[text.index("@__transform_main") :])


def test_both_orders_apply_what_one_library_of_all_does(pool: Pool) -> None:
    plain, fused, all_of_them = (library(pool, kernel) for kernel in (PLAIN, FUSED, PLAIN + FUSED))
    assert pool.merge(fused, plain) == all_of_them
    other_way = pool.merge(plain, fused)
    assert applied(other_way) == applied(all_of_them)
    program = PLAIN + FUSED
    assert pool.apply(program, "k", other_way).text == pool.apply(program, "k", all_of_them).text


def test_the_second_s_schedule_is_taken_where_both_have_one(pool: Pool) -> None:
    first, second = library(pool, PLAIN), library(pool, PLAIN + FUSED, sketch=1)
    assert first != second
    merged = pool.merge(first, second)
    assert {s.sketch for s in pool.inspect(merged).schedules} == {
        s.sketch for s in pool.inspect(second).schedules
    }
    assert applied(merged) == applied(second)
    assert pool.merge(first, first) == first


def test_tasks_that_a_script_cannot_tell_apart_get_the_first_s_schedule(pool: Pool) -> None:
    first, second = library(pool, minus("%x", "%y")), library(pool, minus("%y", "%x"))
    (ours,), (theirs,) = pool.inspect(first).schedules, pool.inspect(second).schedules
    assert ours.key != theirs.key
    merged = pool.merge(first, second)
    assert applied(merged) == [ours.key]
    assert [s.matched_as for s in pool.inspect(merged).schedules] == [None, ours.key]


def test_libraries_that_were_not_tuned_alike_are_refused(pool: Pool) -> None:
    ours = library(pool, PLAIN)
    for attribute, other, what in (
        (r'harl.processor = "[^"]*"', 'harl.processor = "Z80"', r"its processor is not that of a \(Z80, not"),
        (
            r'harl.accuracy = "\w*"',
            'harl.accuracy = "strict"',
            r"its accuracy is .* \(strict, not reassociate",
        ),
    ):
        theirs = re.sub(attribute, other, library(pool, FUSED))
        with pytest.raises(InputError, match=f"b: {what}.*; merge libraries that were tuned alike"):
            pool.merge(ours, theirs, "a", "b")


def test_what_is_no_library_is_refused(pool: Pool) -> None:
    ours = library(pool, PLAIN)
    with pytest.raises(InputError, match=r"b: no transform.named_sequence @__transform_main is here"):
        pool.merge(ours, "module {}", "a", "b")
    with pytest.raises(InputError, match=r"a:1:1: not valid MLIR"):
        pool.merge("oops", ours, "a", "b")
