"""Which ops of a program a library's entries take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schedule.transform_jobs import call

HEAD = """
#id = affine_map<(d0, d1) -> (d0, d1)>
#t = affine_map<(d0, d1) -> (d1, d0)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#bt = affine_map<(d0, d1, d2) -> (d1, d2)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>
"""
TENSOR = "tensor<32x32xf32>"
START = """
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x32xf32>) -> tensor<32x32xf32>
"""


def function(name: str, body: str, *results: str) -> str:
    types = ", ".join([TENSOR] * len(results))
    return f"""func.func @{name}(%x: {TENSOR}, %y: {TENSOR}) -> ({types}) {{{START}{body}
  return {", ".join(results)} : {types}
}}
"""


def matmul(result: str, left: str, right: str, init: str = "%f", maps: str = "") -> str:
    return (
        f"  {result} = linalg.matmul {maps} ins({left}, {right} : {TENSOR}, {TENSOR}) "
        f"outs({init} : {TENSOR}) -> {TENSOR}\n"
    )


def elementwise(result: str, inputs: list[str], ops: list[str], maps: list[str] | None = None) -> str:
    """A generic whose last op defines %r; its inputs are %p0, %p1, ..."""
    used = ", ".join([*(maps or ["#id"] * len(inputs)), "#id"])
    arguments = ", ".join(f"%p{i}: f32" for i in range(len(inputs)))
    body = "\n    ".join(ops)
    return f"""  {result} = linalg.generic {{
        indexing_maps = [{used}], iterator_types = ["parallel", "parallel"]}}
      ins({", ".join(inputs)} : {", ".join([TENSOR] * len(inputs))}) outs(%e : {TENSOR}) {{
  ^bb0({arguments}, %o: f32):
    {body}
    linalg.yield %r : f32
  }} -> {TENSOR}
"""


RELU = ["%r = arith.maximumf %p0, %zero : f32"]


def outcomes(done: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(op, status, key) for op, _, key, status, _ in done["outcomes"]]


def keys(done: dict[str, Any]) -> list[str | None]:
    """The keys of all ops but fills, in program order."""
    return [key for op, _, key in outcomes(done) if op != "linalg.fill"]


def test_plain_and_fused_matmuls_are_told_apart() -> None:
    body = (
        matmul("%m", "%x", "%y")
        + elementwise("%s", ["%m"], RELU)
        + matmul("%n", "%s", "%y")
        + matmul("%k", "%n", "%x")
    )
    done = call("apply", kernel=HEAD + function("f", body, "%k"))
    fused, root, plain, again = keys(done)
    assert fused == root
    assert plain == again
    assert None not in (fused, plain)
    assert fused != plain


def test_a_result_used_twice_is_no_part_of_a_fused_group() -> None:
    fused = function("f", matmul("%m", "%x", "%y") + elementwise("%s", ["%m"], RELU), "%s")
    twice = function("g", matmul("%m", "%x", "%y") + elementwise("%s", ["%m"], RELU), "%m", "%s")
    done = call("apply", kernel=HEAD + fused + twice, written={"kernel": HEAD + fused})
    assert [status for _, status, _ in outcomes(done)] == ["scheduled"] * 3 + ["left"] * 3


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (["%r = arith.addf %p0, %p1 : f32"], ["%r = arith.mulf %p0, %p1 : f32"]),
        (
            ["%s = arith.addf %p0, %p1 : f32", "%r = arith.mulf %s, %p1 : f32"],
            ["%s = arith.mulf %p0, %p1 : f32", "%r = arith.addf %s, %p1 : f32"],
        ),
        (
            [
                "%k = arith.constant 2.0 : f32",
                "%s = arith.mulf %p0, %k : f32",
                "%r = arith.addf %s, %p1 : f32",
            ],
            [
                "%k = arith.constant 3.0 : f32",
                "%s = arith.mulf %p0, %k : f32",
                "%r = arith.addf %s, %p1 : f32",
            ],
        ),
        (
            ["%s = math.exp %p0 : f32", "%r = arith.addf %s, %p1 : f32"],
            ["%s = math.exp %p0 : f32", "%q = math.exp %s : f32", "%r = arith.addf %q, %p1 : f32"],
        ),
        (
            ["%s = arith.cmpf ogt, %p0, %p1 : f32", "%r = arith.select %s, %p0, %p1 : f32"],
            ["%s = arith.cmpf olt, %p0, %p1 : f32", "%r = arith.select %s, %p0, %p1 : f32"],
        ),
    ],
)
def test_bodies_with_equal_maps_and_types_are_told_apart(mine: list[str], other: list[str]) -> None:
    tuned = HEAD + function("f", elementwise("%s", ["%x", "%y"], mine), "%s")
    program = tuned + function("g", elementwise("%s", ["%x", "%y"], other), "%s")
    done = call("apply", kernel=program, written={"kernel": tuned})
    told = [(op, status) for op, status, _ in outcomes(done) if op == "linalg.generic"]
    assert told == [("linalg.generic", "scheduled"), ("linalg.generic", "left")]


def test_maps_are_told_apart() -> None:
    plain, transposed = (
        matmul("%m", "%x", "%y"),
        matmul("%n", "%x", "%y", maps="indexing_maps = [#a, #bt, #c]"),
    )
    tuned = HEAD + function("f", plain, "%m")
    done = call("apply", kernel=tuned + function("g", transposed, "%n"), written={"kernel": tuned})
    assert [status for _, status, _ in outcomes(done)] == ["scheduled", "scheduled", "left", "left"]


def test_element_types_are_told_apart() -> None:
    tuned = HEAD + function("f", matmul("%m", "%x", "%y"), "%m")
    program = tuned + tuned.removeprefix(HEAD).replace("@f", "@g").replace("f32", "f64")
    done = call("apply", kernel=program, written={"kernel": tuned})
    assert [status for _, status, _ in outcomes(done)] == ["scheduled", "scheduled", "left", "left"]


def test_a_fill_with_another_value_is_another_task() -> None:
    tuned = HEAD + function("f", matmul("%m", "%x", "%y"), "%m")
    program = tuned + tuned.removeprefix(HEAD).replace("@f", "@g").replace("0.0", "1.0")
    done = call("apply", kernel=program, written={"kernel": tuned})
    assert [status for _, status, _ in outcomes(done)] == ["scheduled", "scheduled", "left", "left"]


def test_a_captured_constant_and_one_in_the_body_are_one_task() -> None:
    outside = function("f", elementwise("%s", ["%x"], RELU), "%s")
    inside = function(
        "g",
        elementwise("%s", ["%x"], ["%k = arith.constant 0.0 : f32", "%r = arith.maximumf %k, %p0 : f32"]),
        "%s",
    )
    done = call("apply", kernel=HEAD + outside + inside)
    first, second = keys(done)
    assert first == second is not None


def test_ops_that_no_script_can_tell_apart_share_the_first_schedule() -> None:
    ops = ["%r = arith.subf %p0, %p1 : f32"], ["%r = arith.subf %p1, %p0 : f32"]
    program = HEAD + "".join(
        function(f"f{i}", elementwise("%s", ["%x", "%y"], op), "%s") for i, op in enumerate(ops)
    )
    done = call("apply", kernel=program)
    first, second = keys(done)
    assert first == second is not None
    assert f"harl.matched_as = @schedule_{first}" in done["library"]


def test_every_occurrence_of_a_task_is_taken_once() -> None:
    body = matmul("%m", "%x", "%y") + matmul("%n", "%m", "%y") + matmul("%k", "%y", "%n")
    program = HEAD + function("f", body, "%k") + function("g", body, "%k", "%m")
    done = call("apply", kernel=program)
    assert len(set(keys(done))) == 1
    assert all(status == "scheduled" for _, status, _ in outcomes(done))
    assert "linalg." not in done["text"]


def test_tasks_are_found_under_other_spellings_only_if_asked() -> None:
    generic = f"""  %m = linalg.generic {{
        indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}}
      ins(%x, %y : {TENSOR}, {TENSOR}) outs(%f : {TENSOR}) {{
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.mulf %p, %q : f32
    %r = arith.addf %o, %s : f32
    linalg.yield %r : f32
  }} -> {TENSOR}
"""
    named = HEAD + function("f", matmul("%m", "%x", "%y"), "%m")
    other = HEAD + function("g", generic, "%m")
    for tuned, program in ((named, other), (other, named)):
        done = call("apply", kernel=program, written={"kernel": tuned})
        assert [status for _, status, _ in outcomes(done)] == ["scheduled", "scheduled"]
    done = call("apply", kernel=other, written={"kernel": named, "respell": False})
    assert [status for _, status, _ in outcomes(done)] == ["left", "left"]


def test_default_strides_may_be_written_or_not() -> None:
    conv = """func.func @NAME(%x: tensor<1x10x10x4xf32>, %w: tensor<3x3x4x16xf32>, %o: tensor<1x8x8x16xf32>)
    -> tensor<1x8x8x16xf32> {
  %y = linalg.conv_2d_nhwc_hwcf ATTRIBUTES ins(%x, %w : tensor<1x10x10x4xf32>, tensor<3x3x4x16xf32>)
      outs(%o : tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32>
  return %y : tensor<1x8x8x16xf32>
}
"""
    short = conv.replace("NAME", "f").replace("ATTRIBUTES", "")
    long = conv.replace("NAME", "g").replace(
        "ATTRIBUTES", "{strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}"
    )
    for tuned in (short, long):
        done = call("apply", kernel=short + long, written={"kernel": tuned})
        assert [status for _, status, _ in outcomes(done)] == ["scheduled", "scheduled"]


def test_many_functions_and_entries_are_quick() -> None:
    program = "".join(
        f"""func.func @f{i}(%x: tensor<{8 + i}x32xf32>) -> tensor<{8 + i}x32xf32> {{
  %e = tensor.empty() : tensor<{8 + i}x32xf32>
  %y = linalg.exp ins(%x : tensor<{8 + i}x32xf32>) outs(%e : tensor<{8 + i}x32xf32>) -> tensor<{8 + i}x32xf32>
  return %y : tensor<{8 + i}x32xf32>
}}
"""
        for i in range(50)
    )
    done = call("apply", kernel=program)
    assert len(set(keys(done))) == 50
    assert all(status == "scheduled" for _, status, _ in outcomes(done))


def test_an_op_that_shares_its_place_with_its_body_is_told() -> None:
    body = f"  %s = linalg.transpose ins(%x : {TENSOR}) outs(%e : {TENSOR}) permutation = [1, 0]\n"
    tuned = HEAD + function("f", body, "%s")
    done = call("apply", kernel=tuned, written={"kernel": tuned})
    told = [(op, status) for op, status, _ in outcomes(done) if op == "linalg.transpose"]
    assert told == [("linalg.transpose", "scheduled")]
