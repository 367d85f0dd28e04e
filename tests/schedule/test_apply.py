"""Applying libraries and scripts: what is changed, what is said, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schedule.transform_jobs import call

KERNEL = """func.func @one(%a: tensor<32x64xf32>, %b: tensor<64x64xf32>, %c: tensor<32x64xf32>)
    -> tensor<32x64xf32> {
  %m = linalg.matmul ins(%a, %b : tensor<32x64xf32>, tensor<64x64xf32>)
      outs(%c : tensor<32x64xf32>) -> tensor<32x64xf32>
  return %m : tensor<32x64xf32>
}
func.func @two(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>, %c: tensor<32x64xf32>)
    -> (tensor<64x64xf32>, tensor<32x64xf32>) {
  %one = linalg.matmul ins(%a, %b : tensor<64x64xf32>, tensor<64x64xf32>)
      outs(%a : tensor<64x64xf32>) -> tensor<64x64xf32>
  %two = linalg.matmul ins(%one, %b : tensor<64x64xf32>, tensor<64x64xf32>)
      outs(%b : tensor<64x64xf32>) -> tensor<64x64xf32>
  %three = linalg.matmul ins(%c, %two : tensor<32x64xf32>, tensor<64x64xf32>)
      outs(%c : tensor<32x64xf32>) -> tensor<32x64xf32>
  return %two, %three : tensor<64x64xf32>, tensor<32x64xf32>
}
"""
OTHER = """func.func @f(%a: tensor<8x8xf32>, %b: tensor<8x8xf32>)
    -> tensor<8x8xf32> {
  %m = linalg.matmul ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%a : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %m : tensor<8x8xf32>
}
"""
SCRIPT = """module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %m = transform.structured.match ops{["linalg.matmul"]} in %module
      : (!transform.any_op) -> !transform.any_op
    BODY
    transform.yield
  }
}
"""
TILE = (
    "%t, %l = transform.structured.tile_using_for %m tile_sizes [4] : "
    "(!transform.any_op) -> (!transform.any_op, !transform.any_op)"
)


def statuses(done: dict[str, Any]) -> list[str]:
    return [status for _, _, _, status, _ in done["outcomes"]]


def test_outcomes_name_ops_places_and_schedules() -> None:
    done = call("apply", kernel=KERNEL)
    assert [(op, place) for op, place, *_ in done["outcomes"]] == [
        ("linalg.matmul", "kernel.mlir:3:8"),
        ("linalg.matmul", "kernel.mlir:9:10"),
        ("linalg.matmul", "kernel.mlir:11:10"),
        ("linalg.matmul", "kernel.mlir:13:12"),
    ]
    first, second, third, fourth = (key for _, _, key, _, _ in done["outcomes"])
    assert first == fourth != second == third
    assert all(message == f"scheduled by @schedule_{key}" for _, _, key, _, message in done["outcomes"])
    assert "linalg." not in done["text"]
    assert "harl." not in done["text"]


def test_signatures_stay() -> None:
    done = call("apply", kernel=KERNEL)

    def signatures(text: str) -> list[str]:
        return [line for line in text.splitlines() if "func.func" in line]

    assert signatures(done["text"]) == signatures(done["before"])


def test_a_library_for_another_kernel_leaves_everything() -> None:
    done = call("apply", kernel=KERNEL, library=call("write", kernel=OTHER))
    assert statuses(done) == ["left"] * 4
    assert done["text"] == done["before"]


def test_only_the_chosen_function_is_changed() -> None:
    done = call("apply", kernel=KERNEL, function="one")
    assert statuses(done) == ["scheduled"]
    assert done["text"].count("linalg.matmul") == 3


def test_a_failing_schedule_leaves_its_function_as_it_was_and_says_why() -> None:
    done = call("apply", kernel=KERNEL, written={"fail": "matmul 64x64x64 f32"})
    assert statuses(done) == ["scheduled", "restored", "left", "scheduled"]
    message = done["outcomes"][1][4]
    assert "failed and was undone" in message
    assert "expected parameter to be equal" in message
    assert "harl." not in done["text"]


def test_with_strict_a_failing_schedule_is_an_error() -> None:
    done = call("apply", kernel=KERNEL, written={"fail": "matmul 64x64x64 f32"}, strict=True)
    assert done["kind"] == "TransformError"
    assert done["error"].startswith("the transform script failed: ")
    assert done["place"].startswith("library.mlir:")


@pytest.mark.parametrize(
    ("library", "sentence"),
    [
        ("", "the file is empty"),
        ("module {", "not valid MLIR"),
        ("module {}", "no transform.named_sequence @__transform_main"),
        (KERNEL, "no transform.named_sequence @__transform_main"),
        (
            "module attributes {transform.with_named_sequence} {"
            "transform.named_sequence @__transform_main() { transform.yield } }",
            "must have a body that takes one op",
        ),
        (
            SCRIPT.replace("BODY", "").replace("attributes {", "attributes {harl.library = 99 : i64, "),
            "of version 99",
        ),
    ],
)
def test_what_is_no_library_is_refused(library: str, sentence: str) -> None:
    done = call("apply", kernel=KERNEL, library=library)
    assert sentence in done["error"]
    assert done["kind"] == "InputError"
    assert done["place"].startswith("library.mlir")


def test_a_script_of_the_users_own_is_run_as_it_is() -> None:
    done = call("apply", kernel=OTHER, library=SCRIPT.replace("BODY", TILE))
    assert statuses(done) == ["scheduled"]
    assert "scf.for" in done["text"]
    done = call("apply", kernel=OTHER, library=SCRIPT.replace("BODY", ""))
    assert statuses(done) == ["left"]
    assert done["text"] == done["before"]


def test_a_script_that_fails_or_leaves_invalid_ir_is_an_error() -> None:
    done = call(
        "apply", kernel=OTHER, library=SCRIPT.replace("BODY", f"{TILE}\n{TILE.replace('%t, %l', '%u, %k')}")
    )
    assert done["kind"] == "TransformError"
    assert done["place"].startswith("library.mlir:")


def test_a_fill_that_stays_belongs_to_its_task() -> None:
    kernel = """func.func @f(%x: tensor<64xf32>, %y: tensor<64xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<f32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<f32>) -> tensor<f32>
  %d = linalg.dot ins(%x, %y : tensor<64xf32>, tensor<64xf32>) outs(%f : tensor<f32>) -> tensor<f32>
  return %d : tensor<f32>
}
"""
    assert statuses(call("apply", kernel=kernel)) == ["scheduled", "scheduled"]


SHARED_FILL = """#rows = affine_map<(d0, d1) -> (d0)>
#all = affine_map<(d0, d1) -> (d0, d1)>
#one = affine_map<(d0) -> (d0)>
func.func @f(%a: tensor<32x64xf32>, %b: tensor<32x64xf32>) -> (tensor<32xf32>, tensor<32xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32xf32>
  %f = FILL
  SUM(%m, %a)
  SUM(%n, %b)
  return %m, %n : tensor<32xf32>, tensor<32xf32>
}
"""
FILLS = {
    "named": "linalg.fill ins(%zero : f32) outs(%e : tensor<32xf32>) -> tensor<32xf32>",
    "generic": """linalg.generic {indexing_maps = [#one], iterator_types = ["parallel"]}
      outs(%e : tensor<32xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<32xf32>""",
}


@pytest.mark.parametrize("fill", FILLS)
def test_ops_that_share_a_fill_are_all_scheduled(fill: str) -> None:
    kernel = SHARED_FILL.replace("FILL", FILLS[fill])
    for result, source in (("m", "a"), ("n", "b")):
        kinds = '"parallel", "reduction"'
        mean = f"""%s{result} = linalg.generic {{indexing_maps = [#all, #rows], iterator_types = [{kinds}]}}
      ins(%{source} : tensor<32x64xf32>) outs(%f : tensor<32xf32>) {{
  ^bb0(%x: f32, %o: f32):
    %y = arith.addf %o, %x : f32
    linalg.yield %y : f32
  }} -> tensor<32xf32>
  %{result} = linalg.exp ins(%s{result} : tensor<32xf32>) outs(%e : tensor<32xf32>) -> tensor<32xf32>"""
        kernel = kernel.replace(f"SUM(%{result}, %{source})", mean)
    done = call("apply", kernel=kernel)
    assert set(statuses(done)) == {"scheduled"}
    assert len(statuses(done)) == 6
