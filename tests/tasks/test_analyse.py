from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest

from harl_mlir.frontend.prepare import Prepared, prepare
from harl_mlir.tasks.analyse import analyse, analyse_functions
from harl_mlir.tasks.analysis import Analysis, Skipped
from harl_mlir.tasks.task import Source, TensorType
from tests.frontend.transposed import Transposed

GOLDEN = Path(__file__).parent / "golden"
T = "tensor<8x8xf32>"
HEAD = f"""#id = affine_map<(i, j) -> (i, j)>
func.func @f(%A: {T}, %B: {T}, %C: {T}) -> {T} {{
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : {T}
  %f = linalg.fill ins(%z : f32) outs(%e : {T}) -> {T}
  %r = linalg.matmul ins(%A, %B : {T}, {T}) outs(%f : {T}) -> {T}
"""


def load(text: str, function: str | None = None) -> Prepared:
    return prepare(text, "k.mlir", function)


def function(body: str, result: str = "%q") -> str:
    return f"{HEAD}{body}\n  return {result} : {T}\n}}\n"


def groups(body: str, result: str = "%q") -> list[list[str]]:
    """The names of the members of each task, in order."""
    found = analyse(load(function(body, result)), "k.mlir")
    assert found.skipped == ()
    return [[member.op.name.removeprefix("linalg.") for member in task.members] for task in found.tasks]


def binary(name: str, a: str, b: str, out: str = "%e") -> str:
    return f"linalg.{name} ins({a}, {b} : {T}, {T}) outs({out} : {T}) -> {T}"


def unary(name: str, a: str, out: str = "%e") -> str:
    return f"linalg.{name} ins({a} : {T}) outs({out} : {T}) -> {T}"


def test_an_epilogue_follows_its_anchor() -> None:
    assert groups(f"%s = {binary('add', '%C', '%r')}\n%q = {unary('exp', '%s')}") == [
        ["fill", "matmul", "add", "exp"]
    ]


def test_an_epilogue_in_place() -> None:
    body = f"%q = {unary('exp', '%C', '%r')}"
    # The old value of %r is not read here, so it is an init only; the matmul is needed all the same.
    assert groups(body) == [["fill", "matmul", "exp"]]


def test_a_value_of_two_uses_ends_the_group() -> None:
    body = f"%s = {unary('exp', '%r')}\n%q = {binary('add', '%s', '%r')}"
    assert groups(body) == [["fill", "matmul"], ["exp", "add"]]


def test_a_value_used_twice_by_one_op_ends_the_group() -> None:
    assert groups(f"%q = {binary('mul', '%r', '%r')}") == [["fill", "matmul"], ["mul"]]


def test_a_transposed_use_ends_the_group() -> None:
    body = f"%q = linalg.transpose ins(%r : {T}) outs(%e : {T}) permutation = [1, 0]"
    assert groups(body) == [["fill", "matmul"], ["transpose"]]


def test_other_ops_are_boundaries() -> None:
    body = f"""%w = tensor.empty() : {T}
    %s = tensor.insert_slice %r into %w[0, 0] [8, 8] [1, 1] : {T} into {T}
    %q = {unary("exp", "%s")}"""
    assert groups(body) == [["fill", "matmul"], ["exp"]]


def test_a_shared_fill_is_in_each_group() -> None:
    body = f"""%s = linalg.matmul ins(%B, %A : {T}, {T}) outs(%f : {T}) -> {T}
    %q = {binary("add", "%r", "%s")}"""
    # The addition follows the nearer product; the farther one's value comes from outside.
    assert groups(body) == [["fill", "matmul"], ["fill", "matmul", "add"]]


def test_a_fill_needed_elsewhere_is_a_task_too() -> None:
    body = f"%s = {unary('exp', '%f')}\n%q = {binary('add', '%r', '%s')}"
    assert groups(body) == [["fill"], ["exp"], ["fill", "matmul", "add"]]


def test_chains_without_an_anchor() -> None:
    body = f"%s = {unary('exp', '%C')}\n%t = {binary('mul', '%s', '%A')}\n%q = {binary('add', '%t', '%r')}"
    found = analyse(load(function(body)), "k.mlir")
    names = [[member.op.name for member in task.members] for task in found.tasks]
    assert names == [["linalg.exp", "linalg.mul"], ["linalg.fill", "linalg.matmul", "linalg.add"]]
    assert [task.anchor for task in found.tasks] == [1, 1]


def test_chained_products_are_tasks_of_their_own() -> None:
    body = f"%q = linalg.matmul ins(%r, %C : {T}, {T}) outs(%f : {T}) -> {T}"
    found = analyse(load(function(body)), "k.mlir")
    assert [(task.label(), task.weight) for task in found.tasks] == [("matmul 8x8x8 f32", 2)]


def test_equal_tasks_are_merged_and_spellings_kept() -> None:
    kernel = (GOLDEN / "matmuls.mlir").read_text(encoding="utf-8")
    first = analyse(load(kernel), "k.mlir").tasks[0]
    assert (first.weight, first.function, first.place) == (4, "named", "k.mlir:8:8")
    assert "linalg.matmul" in first.kernel
    assert [("linalg.generic" in s, "linalg.contract" in s) for s in first.spellings] == [
        (True, False),
        (False, True),
    ]


def test_the_named_function_only() -> None:
    kernel = (GOLDEN / "matmuls.mlir").read_text(encoding="utf-8")
    assert [task.function for task in analyse(load(kernel, "@batch"), "k.mlir").tasks] == ["batch"]
    assert [task.function for task in analyse_functions(load(kernel, "batch"), "k.mlir").tasks] == ["batch"]


def test_results_travel_as_json() -> None:
    kernel = (GOLDEN / "groups.mlir").read_text(encoding="utf-8")
    found = analyse(load(kernel), "k.mlir")
    assert msgspec.json.decode(msgspec.json.encode(found), type=Analysis) == found
    fills = [m.sources[0] for task in found.tasks for m in task.members if m.op.name == "linalg.fill"]
    assert Source("constant", value="-inf") in fills
    assert min(source.number for source in fills) == float("-inf")


def test_an_init_that_is_not_read_is_empty() -> None:
    text = f"func.func @f(%x: {T}, %y: {T}) -> {T} {{\n%q = {unary('exp', '%x', '%y')}\nreturn %q : {T}\n}}"
    (task,) = analyse(load(text), "k.mlir").tasks
    assert task.arguments == (TensorType((8, 8), "f32"),)
    assert task.members[0].sources == (Source("argument", 0), Source("empty"))


def test_constants_that_are_one_number_are_inside() -> None:
    text = f"""func.func @f(%x: {T}) -> {T} {{
      %ones = arith.constant dense<1.5> : {T}
      %many = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
      %more = arith.constant dense_resource<blob> : {T}
      %q = {binary("add", "%x", "%ones", "%x")}
      %r = {binary("add", "%more", "%q", "%x")}
      return %r : {T}
    }}
    {{-# dialect_resources: {{ builtin: {{ blob: "0x04000000{"00" * 256}" }} }} #-}}"""
    (task,) = analyse(load(text), "k.mlir").tasks
    assert task.members[0].sources[1] == Source("constant", value=1.5)
    assert task.members[1].sources[0] == Source("argument", 1)
    assert "dense<1.5" in task.kernel
    (whole,) = analyse_functions(load(text), "k.mlir").tasks
    assert [s.kind for m in whole.members for s in m.sources] == [
        "argument", "constant", "argument", "argument", "member", "argument",
    ]  # fmt: skip
    assert len(whole.arguments) == 3


def test_ops_left_alone_have_a_reason_and_a_place() -> None:
    text = f"""func.func @f(%x: {T}, %s: tensor<f32>) -> ({T}, tensor<f32>) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %d = {unary("exp", "%x", "%x")}
      %e = {unary("exp", "%d", "%x")}
      %l = scf.for %i = %c0 to %c1 step %c1 iter_args(%y = %x) -> {T} {{
        %n = {unary("exp", "%y", "%y")}
        scf.yield %n : {T}
      }}
      %t = linalg.copy ins(%s : tensor<f32>) outs(%s : tensor<f32>) -> tensor<f32>
      %z = linalg.softmax dimension(1) ins(%l : {T}) outs(%x : {T}) -> {T}
      return %z, %t : {T}, tensor<f32>
    }}"""
    found = analyse(load(text), "k.mlir")
    assert found.tasks == ()
    assert found.skipped == (
        Skipped("linalg.exp", "k.mlir:4:12", "its result is unused"),
        Skipped("linalg.exp", "k.mlir:5:12", "its result is unused"),
        Skipped(
            "linalg.exp", "k.mlir:7:14", "it is inside scf.for; put it into a function that is called there"
        ),
        Skipped("linalg.copy", "k.mlir:10:12", "it has no loops"),
        Skipped("linalg.softmax", "k.mlir:11:12", "linalg.softmax is not a loop nest; decompose it first"),
    )


@pytest.mark.parametrize(("kernel", "offset", "after"), [(2, 1, 1), (3, 1, 2), (4, 2, 2)])
def test_operations_with_inserted_zeros_are_not_counted(kernel: int, offset: int, after: int) -> None:
    text = Transposed(1, (3, 4), 3, 5, kernel, 2, offset, after).text
    (whole,) = analyse_functions(load(text), "k.mlir").tasks
    rewritten = analyse(prepare(text, "k.mlir", accuracy="reassociate"), "k.mlir")
    kept = analyse(load(text), "k.mlir")
    direct = sum(task.flops for task in rewritten.tasks)
    taps = -(-kernel // 2)
    assert direct == 2 * math.prod(whole.members[-1].op.init.shape) * taps * taps * 3
    assert whole.flops == direct
    assert sum(task.flops for task in kept.tasks) == direct


def test_many_ops_take_little_time() -> None:
    lines = [f"%v0 = {unary('exp', '%r')}"]
    lines += [f"%v{i} = {binary('add', f'%v{i - 1}', '%A')}" for i in range(1, 1000)]
    found = analyse(load(function("\n".join(lines), "%v999")), "k.mlir")
    assert [len(task.members) for task in found.tasks] == [1002]


def test_an_elementwise_op_that_writes_into_a_slice_is_left_alone() -> None:
    found = analyse(
        load("""func.func @f(%a: tensor<6x6xf32>, %out: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %part = tensor.extract_slice %out[1, 1] [6, 6] [1, 1] : tensor<8x8xf32> to tensor<6x6xf32>
  %e = linalg.exp ins(%a : tensor<6x6xf32>) outs(%part : tensor<6x6xf32>) -> tensor<6x6xf32>
  %r = tensor.insert_slice %e into %out[1, 1] [6, 6] [1, 1] : tensor<6x6xf32> into tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}
"""),
        "k.mlir",
    )
    assert found == Analysis(
        (), (Skipped("linalg.exp", "k.mlir:3:8", "it writes into a slice of another tensor"),)
    )
