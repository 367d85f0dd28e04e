"""Padding, concatenation and slices become copies: the same numbers, tuned, computed where they belong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harl_mlir.codegen.lowering import bufferize
from harl_mlir.export.loaded import load
from harl_mlir.frontend.copies import write_copies
from harl_mlir.frontend.program import functions
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for

_PAD = """func.func @kernel(%x: tensor<3x20x56xf32>) -> tensor<3x23x59xf32> {
  %r = tensor.pad %x low[0, 1, 2] high[0, 2, 1] {
  ^bb0(%i: index, %j: index, %k: index):
    %z = arith.constant 2.5 : f32
    tensor.yield %z : f32
  } : tensor<3x20x56xf32> to tensor<3x23x59xf32>
  return %r : tensor<3x23x59xf32>
}"""
_CONCAT = """func.func @kernel(%x: tensor<4x40xf32>, %y: tensor<4x64xf32>) -> tensor<4x104xf32> {
  %r = tensor.concat dim(1) %x, %y : (tensor<4x40xf32>, tensor<4x64xf32>) -> tensor<4x104xf32>
  return %r : tensor<4x104xf32>
}"""
_INSERT = """func.func @kernel(%x: tensor<4x64xf32>) -> tensor<6x70xf32> {
  %z = arith.constant -1.0 : f32
  %e = tensor.empty() : tensor<6x70xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<6x70xf32>) -> tensor<6x70xf32>
  %r = tensor.insert_slice %x into %f[1, 3] [4, 64] [1, 1] : tensor<4x64xf32> into tensor<6x70xf32>
  return %r : tensor<6x70xf32>
}"""
_SLICE = """func.func @kernel(%x: tensor<8x96xf32>) -> tensor<4x48xf32> {
  %r = tensor.extract_slice %x[2, 32] [4, 48] [1, 1] : tensor<8x96xf32> to tensor<4x48xf32>
  return %r : tensor<4x48xf32>
}"""
_KEPT = """func.func @kernel(%x: tensor<16x48xf32>) -> tensor<16x48xf32> {
  %e = tensor.empty() : tensor<16x48xf32>
  %r = linalg.transpose ins(%x : tensor<16x48xf32>) outs(%e : tensor<16x48xf32>) permutation = [0, 1]
  return %r : tensor<16x48xf32>
}"""
_CASES: dict[str, tuple[str, int, Callable[..., np.ndarray]]] = {
    "pad": (_PAD, 1, lambda x: np.pad(x, ((0, 0), (1, 2), (2, 1)), constant_values=2.5)),
    "concat": (_CONCAT, 2, lambda x, y: np.concatenate([x, y], 1)),
    "insert": (_INSERT, 2, lambda x: np.pad(x, ((1, 1), (3, 3)), constant_values=-1)),
    "transpose that moves nothing": (_KEPT, 1, lambda x: x),
    "broadcast that adds nothing": (
        _KEPT.replace("transpose", "broadcast").replace("permutation = [0, 1]", "dimensions = []"),
        1,
        lambda x: x,
    ),
    "slice": (_SLICE, 1, lambda x: x[2:6, 32:80]),
}


def _operands(text: str) -> list[np.ndarray]:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        (function,) = functions(module)
        shapes = [tuple(argument.type.shape) for argument in function.arguments]
    random = np.random.default_rng(3)
    return [random.standard_normal(shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("name", _CASES)
def test_the_defaults_schedules_copy_in_place(name: str) -> None:
    text, count, expected = _CASES[name]
    operands = _operands(text)
    with Pool() as pool:
        tasks = pool.analyse(text, "kernel.mlir").tasks
        assert len(tasks) == count
        found = [(task, sketches_for(task, this_processor())[0].default()) for task in tasks]
        library = pool.library(found)
        applied = pool.apply(text, "kernel.mlir", library)
        assert all(outcome.matched for outcome in applied.outcomes)
        for used in (library, None):
            made = pool.compile(text, "kernel.mlir", used)
            result = load(made.object, made.functions)["kernel"](*operands)
            np.testing.assert_array_equal(result, expected(*operands))
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(applied.text)
        bufferize(module, "kernel")
        assert "memref.alloc" not in str(module)
        assert "copy" not in str(module)


def test_what_is_computed_or_of_unknown_size_is_left() -> None:
    text = """func.func @kernel(%x: tensor<4x8xf32>, %y: tensor<?x8xf32>, %n: index)
        -> (tensor<8x8xf32>, tensor<?x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
      %z = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<4x8xf32>
      %w = tensor.empty() : tensor<8x8xf32>
      %s = linalg.exp ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
      %i = tensor.insert_slice %s into %w[0, 0] [4, 8] [1, 1] : tensor<4x8xf32> into tensor<8x8xf32>
      %p = tensor.pad %y low[1, 0] high[0, 0] {
      ^bb0(%a: index, %b: index):
        tensor.yield %z : f32
      } : tensor<?x8xf32> to tensor<?x8xf32>
      %q = tensor.pad %x low[0, 0] high[4, 0] {
      ^bb0(%a: index, %b: index):
        %c = arith.index_cast %a : index to i32
        %d = arith.sitofp %c : i32 to f32
        tensor.yield %d : f32
      } : tensor<4x8xf32> to tensor<8x8xf32>
      %u = tensor.pad %x low[0, 0] high[4, 0] {
      ^bb0(%a: index, %b: index):
        tensor.yield %z : f32
      } : tensor<4x8xf32> to tensor<8x8xf32>
      %v = linalg.exp ins(%u : tensor<8x8xf32>) outs(%w : tensor<8x8xf32>) -> tensor<8x8xf32>
      return %i, %p, %q, %v : tensor<8x8xf32>, tensor<?x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
    }"""
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        before = str(module)
        for function in functions(module):
            write_copies(function)
        assert str(module) == before


def _computed(moves: str) -> str:
    kind, same = "tensor<8x16xf32>", "affine_map<(i, j) -> (i, j)>"
    ends = f"ins(%n : {kind}) outs(%f : {kind})"
    written = moves.format(ends=ends, kind=kind, same=same)
    return f"""func.func @kernel(%x: {kind}) -> {kind} {{
  %e = tensor.empty() : {kind}
  %n = linalg.negf ins(%x : {kind}) outs(%e : {kind}) -> {kind}
  %f = tensor.empty() : {kind}
  %r = linalg.{written}
  %g = tensor.empty() : {kind}
  %s = linalg.abs ins(%r : {kind}) outs(%g : {kind}) -> {kind}
  return %s : {kind}
}}"""


@pytest.mark.parametrize(
    "moves",
    [
        "copy {ends} -> {kind}",
        "transpose {ends} permutation = [0, 1]",
        "broadcast {ends} dimensions = []",
        'generic {{indexing_maps = [{same}, {same}], iterator_types = ["parallel", "parallel"]}} {ends} {{\n'
        "  ^bb0(%a: f32, %b: f32):\n    linalg.yield %a : f32\n  }} -> {kind}",
    ],
)
def test_what_changes_nothing_of_what_is_computed_is_left_out(moves: str) -> None:
    with Pool() as pool:
        (task,) = pool.analyse(_computed(moves), "kernel.mlir").tasks
        assert [member.op.name for member in task.members] == ["linalg.negf", "linalg.abs"]


def test_what_is_computed_and_inserted_is_tuned_with_its_copy() -> None:
    text = """func.func @kernel(%x: tensor<8x16xf32>) -> tensor<10x18xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x16xf32>
  %n = linalg.negf ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %r = tensor.pad %n low[1, 1] high[1, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<8x16xf32> to tensor<10x18xf32>
  return %r : tensor<10x18xf32>
}"""
    with Pool() as pool:
        (task,) = pool.analyse(text, "kernel.mlir").tasks
        (space, *_) = sketches_for(task, this_processor())
        assert pool.verify(task, space.default(), run=True) is None


def test_what_is_written_once_stays_as_it_is() -> None:
    """What is put together of what is computed, of nothing but paddings too."""
    made = "tensor<16x16xf32>"
    for text in (
        _computed("copy {ends} -> {kind}"),
        _computed("transpose {ends} permutation = [0, 1]").replace("return %s", "return %r"),
        _PAD.replace(
            "return %r : tensor<3x23x59xf32>",
            "%s = tensor.concat dim(0) %r, %r : (tensor<3x23x59xf32>,"
            " tensor<3x23x59xf32>) -> tensor<6x23x59xf32>\n  return %s : tensor<6x23x59xf32>",
        ).replace("-> tensor<3x23x59xf32> {", "-> tensor<6x23x59xf32> {", 1),
        _computed("copy {ends} -> {kind}")
        .replace(
            "return %s : tensor<8x16xf32>",
            "%t = tensor.concat dim(0) %r, %x : (tensor<8x16xf32>, tensor<8x16xf32>)"
            f" -> {made}\n  return %t : {made}",
        )
        .replace("-> tensor<8x16xf32> {", f"-> {made} {{", 1),
    ):
        with ir.Context(), ir.Location.unknown():
            module = ir.Module.parse(text)
            written = []
            for _ in range(2):
                write_copies(functions(module)[0])
                module.operation.verify()
                written.append(str(module))
            assert written[0] == written[1]
