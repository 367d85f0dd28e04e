"""The fixed lowering: its calling convention, and that it leaves nothing behind, in both MLIR versions."""

from __future__ import annotations

import re

import pytest

from harl_mlir.accuracy import Accuracy
from harl_mlir.codegen.bench_loop import REPEAT, add_repeat_loop
from harl_mlir.codegen.lowering import (
    InPlace,
    OutParameter,
    ResultPlace,
    bufferize,
    bufferize_text,
    find_function,
    pipeline_text,
    to_llvm,
)
from harl_mlir.mlir import ir
from tests.mlir_opt import mlir_opt, needs_mlir_opt

LIBC_AND_LIBM = {"malloc", "free", "memcpy", "expf", "erff", "tanhf", "logf"}

_M = "tensor<8x8xf32>"
_ZERO = f"""%z = arith.constant 0.0 : f32
  %e = tensor.empty() : {_M}
  %f = linalg.fill ins(%z : f32) outs(%e : {_M}) -> {_M}"""
MATMUL = f"""func.func @kernel(%a: {_M}, %b: {_M}) -> {_M} {{
  {_ZERO}
  %r = linalg.matmul ins(%a, %b : {_M}, {_M}) outs(%f : {_M}) -> {_M}
  return %r : {_M}
}}"""
ACCUMULATING = f"""func.func @kernel(%a: {_M}, %b: {_M}, %c: {_M}) -> {_M} {{
  %r = linalg.matmul ins(%a, %b : {_M}, {_M}) outs(%c : {_M}) -> {_M}
  return %r : {_M}
}}"""
TWO_RESULTS = f"""func.func @kernel(%a: {_M}, %c: {_M}) -> ({_M}, {_M}) {{
  %r = linalg.matmul ins(%a, %a : {_M}, {_M}) outs(%c : {_M}) -> {_M}
  %e = tensor.empty() : {_M}
  %x = linalg.exp ins(%r : {_M}) outs(%e : {_M}) -> {_M}
  return %x, %r : {_M}, {_M}
}}"""
CONFLICT = f"""func.func @kernel(%a: {_M}, %c: {_M}) -> {_M} {{
  %r = linalg.matmul ins(%a, %c : {_M}, {_M}) outs(%c : {_M}) -> {_M}
  return %r : {_M}
}}"""
CHAIN = f"""func.func @kernel(%a: {_M}, %b: {_M}) -> {_M} {{
  {_ZERO}
  %r = linalg.matmul ins(%a, %b : {_M}, {_M}) outs(%f : {_M}) -> {_M}
  %g = linalg.fill ins(%z : f32) outs(%e : {_M}) -> {_M}
  %s = linalg.matmul ins(%r, %b : {_M}, {_M}) outs(%g : {_M}) -> {_M}
  %t = linalg.tanh ins(%s : {_M}) outs(%e : {_M}) -> {_M}
  %u = linalg.erf ins(%t : {_M}) outs(%e : {_M}) -> {_M}
  return %u : {_M}
}}"""
VECTORS = f"""func.func @kernel(%a: {_M}) -> {_M} {{
  %0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %x = vector.transfer_read %a[%0, %0], %z {{in_bounds = [true, true]}} : {_M}, vector<8x8xf32>
  %t = vector.transpose %x, [1, 0] : vector<8x8xf32> to vector<8x8xf32>
  %y = math.exp %t : vector<8x8xf32>
  %m = vector.multi_reduction <add>, %y, %z [0, 1] : vector<8x8xf32> to f32
  %b = vector.broadcast %m : f32 to vector<8x8xf32>
  %e = tensor.empty() : {_M}
  %r = vector.transfer_write %b, %e[%0, %0] {{in_bounds = [true, true]}} : vector<8x8xf32>, {_M}
  return %r : {_M}
}}"""

KERNELS: dict[str, tuple[str, tuple[ResultPlace, ...], int]] = {
    "matmul": (MATMUL, (OutParameter(2),), 0),
    "accumulating": (ACCUMULATING, (InPlace(2),), 0),
    "two results": (TWO_RESULTS, (OutParameter(2), InPlace(1)), 0),
    "read and written": (CONFLICT, (OutParameter(2),), 0),
    "chain": (CHAIN, (OutParameter(2),), 1),
    "vectors": (VECTORS, (OutParameter(1),), 0),
}


@pytest.mark.parametrize("name", KERNELS)
def test_calling_convention(name: str) -> None:
    text, places, allocations = KERNELS[name]
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        assert bufferize(module, "kernel") == places
        parameters = len(find_function(module, "kernel").arguments)
        lowered = str(module)
    assert parameters == text.split(")")[0].count("%") + sum(isinstance(p, OutParameter) for p in places)
    assert lowered.count("memref.alloc") == allocations
    # A value read and overwritten costs a copy, and so does a fill that two products share.
    assert lowered.count("memref.copy") == (name in ("read and written", "chain"))


@pytest.mark.parametrize("name", KERNELS)
def test_nothing_is_left_to_lower(name: str) -> None:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(KERNELS[name][0])
        bufferize(module, "kernel")
        add_repeat_loop(module, "kernel")
        to_llvm(module)
        lowered = str(module)
    _assert_llvm_only(lowered)
    assert re.search(r"llvm\.func weak @kernel\(", lowered)
    repeat = lowered.split(f"llvm.func @{REPEAT}(")[1]
    assert repeat.split("llvm.func")[0].count("llvm.call @kernel(") == 1


def _assert_llvm_only(lowered: str) -> None:
    ops = set(re.findall(r"(?:^|= )\s*\"?([a-z_]+)\.[a-z_]", lowered, re.MULTILINE))
    assert ops <= {"llvm"}
    declared = set(re.findall(r"llvm\.func @(\w+)\([^{]*$", lowered, re.MULTILINE))
    assert {name for name in declared if not name.startswith("llvm.")} <= LIBC_AND_LIBM


@needs_mlir_opt
@pytest.mark.parametrize("name", KERNELS)
def test_mlir_22_takes_the_same_pipeline(name: str) -> None:
    _assert_llvm_only(mlir_opt(KERNELS[name][0], f"--pass-pipeline={pipeline_text()}"))


@needs_mlir_opt
@pytest.mark.parametrize("name", KERNELS)
def test_mlir_22_bufferizes_to_the_same_parameters(name: str) -> None:
    text, places, _ = KERNELS[name]
    private = text.replace("func.func @", "func.func private @")
    lowered = mlir_opt(private, f"--pass-pipeline={bufferize_text()}")
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        assert bufferize(module, "kernel") == places
        ours = str(find_function(module, "kernel").type)
        theirs = ir.Module.parse(lowered)  # named: without its module the function would be gone
        other = str(find_function(theirs, "kernel").type)
    assert ours == other


@pytest.mark.parametrize(("accuracy", "flag"), [("strict", "none"), ("reassociate", "reassoc")])
@pytest.mark.parametrize("name", KERNELS)
def test_arithmetic_is_changed_no_further_than_said(name: str, accuracy: Accuracy, flag: str) -> None:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(KERNELS[name][0])
        bufferize(module, "kernel")
        to_llvm(module, accuracy)
        lowered = str(module)
    flags = set(re.findall(r"fastmathFlags = #llvm.fastmath<([^>]*)>", lowered))
    assert flags == ({flag} if name == "vectors" else set())
