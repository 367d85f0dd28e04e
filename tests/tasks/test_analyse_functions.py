"""Whole functions as one task."""

from __future__ import annotations

from pathlib import Path

import pytest

from harl_mlir.frontend.prepare import Prepared, prepare
from harl_mlir.frontend.program import functions, linalg_ops
from harl_mlir.mlir import ir
from harl_mlir.tasks.analyse import analyse, analyse_functions
from harl_mlir.tasks.analysis import Skipped
from harl_mlir.tasks.task import Source, Task, TensorType
from tests.tasks.test_analyse import GOLDEN, T, function, load, unary


@pytest.mark.parametrize("kernel", sorted(GOLDEN.glob("*.mlir")), ids=lambda path: path.stem)
def test_kernels_are_what_their_tasks_say(kernel: Path) -> None:
    prepared = prepare(kernel.read_text(encoding="utf-8"), kernel.name)
    before = str(prepared.module)
    for task in (*analyse(prepared, kernel.name).tasks, *analyse_functions(prepared, kernel.name).tasks):
        check_kernel(task)
        assert task.unchecked == ""
    assert str(prepared.module) == before


def check_kernel(task: Task) -> None:
    module = ir.Module.parse(task.kernel)
    assert module.operation.verify()
    (kernel,) = functions(module)
    assert kernel.name.value == "kernel"
    assert [str(t) for t in kernel.type.inputs] == [spelled(t) for t in task.arguments]
    assert [str(t) for t in kernel.type.results] == [spelled(task.result_type(r)) for r in task.results]
    assert [op.name for op in linalg_ops(kernel)] == [member.op.name for member in task.members]
    # Read again, the kernel is the same task (its groups may be smaller than a whole function).
    (again,) = analyse_functions(Prepared(module, None, ()), "k.mlir").tasks
    assert (again.key, again.members, again.arguments) == (task.key, task.members, task.arguments)


def spelled(type_: TensorType) -> str:
    if type_.is_scalar:
        return type_.element
    return f"tensor<{''.join(f'{size}x' for size in type_.shape)}{type_.element}>"


def test_whole_functions() -> None:
    body = f"%s = linalg.matmul ins(%B, %A : {T}, {T}) outs(%f : {T}) -> {T}"
    text = function(body, "%r, %s").replace(f") -> {T} {{\n  %z", f") -> ({T}, {T}) {{\n  %z")
    text = text.replace(f"%r, %s : {T}", f"%r, %s : {T}, {T}")
    (task,) = analyse_functions(load(text), "k.mlir").tasks
    check_kernel(task)
    assert task.results == (1, 2)
    assert [m.op.name for m in task.members] == ["linalg.fill", "linalg.matmul", "linalg.matmul"]
    assert len(task.arguments) == 3


def test_whole_functions_of_memrefs() -> None:
    m = "memref<8x8xf32>"
    text = f"""func.func @f(%unused: {m}, %s: f32, %x: {m}, %y: {m}) -> {m} {{
      %t = memref.alloc() : {m}
      linalg.exp ins(%x : {m}) outs(%t : {m})
      linalg.fill ins(%s : f32) outs(%y : {m})
      return %t : {m}
    }}"""
    (task,) = analyse_functions(load(text), "k.mlir").tasks
    check_kernel(task)
    # The scalar first: it is the function's own argument; the memrefs it uses follow as tensors.
    assert [t.is_scalar for t in task.arguments] == [True, False, False]
    assert task.results == (0, 1)
    assert "memref" not in task.kernel


def test_whole_functions_without_a_reference_say_why() -> None:
    body = f"""%c = arith.constant 3 : index
    %p = tensor.insert %z into %r[%c, %c] : {T}
    %q = {unary("exp", "%p")}"""
    (task,) = analyse_functions(load(function(body)), "k.mlir").tasks
    assert task.unchecked == "tensor.insert is not a linalg op"
    assert task.members[2].sources[0] == Source("other")
    assert "tensor.insert" in task.kernel


def test_functions_that_cannot_stand_alone_are_skipped() -> None:
    m = "memref<8x8xf32>"
    text = f"""
    func.func @a(%x: {m}, %n: index) {{
      %v = memref.load %x[%n, %n] : {m}
      linalg.fill ins(%v : f32) outs(%x : {m})
      return
    }}
    func.func @b(%x: {T}) -> {T} {{
      %q = {unary("exp", "%x", "%x")}
      %r = call @b(%q) : ({T}) -> {T}
      return %r : {T}
    }}"""
    found = analyse_functions(load(text), "k.mlir")
    assert found.tasks == ()
    assert found.skipped == (
        Skipped("@a", "k.mlir:2:5", "memref.load works on memrefs"),
        Skipped("@b", "k.mlir:7:5", "the function calls another one"),
    )
