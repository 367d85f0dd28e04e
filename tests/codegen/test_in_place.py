"""Loops that compute a tensor in the place of the one they read: where that is right, and only there."""

from __future__ import annotations

import pytest

from harl_mlir.codegen.in_place import compute_in_place
from harl_mlir.codegen.lowering import bufferize_public
from harl_mlir.frontend.prepare import prepare
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.schedule.apply import apply_library
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from tests.codegen.compiled import run
from tests.schedule.sketches.legality import processor_with
from tests.schedule.sketches.row_kernels import softmax

_EMPTY = "tensor.empty() : tensor<128xf32>"
_KERNEL = """
func.func @kernel(%x: tensor<128xf32>) -> tensor<128xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<128xf32>
  %f = tensor.empty() : tensor<128xf32>
  %t = scf.for %i = %c0 to %c128 step %c32 iter_args(%o = %e) -> (tensor<128xf32>) {
    %v = vector.transfer_read %x[%i], %z {in_bounds = [true]} : tensor<128xf32>, vector<32xf32>
    %d = arith.addf %v, %v : vector<32xf32>
    %w = vector.transfer_write %d, %o[%i] {in_bounds = [true]} : vector<32xf32>, tensor<128xf32>
    scf.yield %w : tensor<128xf32>
  }
  %r = scf.for %i = %c0 to %c128 step %c32 iter_args(%o = %f) -> (tensor<128xf32>) {
    %v = vector.transfer_read %t[%i], %z {in_bounds = [true]} : tensor<128xf32>, vector<32xf32>
    %d = arith.mulf %v, %v : vector<32xf32>
    %w = vector.transfer_write %d, %o[%i] {in_bounds = [true]} : vector<32xf32>, tensor<128xf32>
    scf.yield %w : tensor<128xf32>
  }
  %l = vector.transfer_read %r[%c0], %z {in_bounds = [true]} : tensor<128xf32>, vector<32xf32>
  %s = vector.transfer_write %l, %r[%c0] {in_bounds = [true]} : vector<32xf32>, tensor<128xf32>
  return %s : tensor<128xf32>
}
"""


def _changed(text: str) -> str:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        compute_in_place(module)
        module.operation.verify()
        return str(module)


def _kept(text: str) -> str:
    with ir.Context(), ir.Location.unknown():
        return str(ir.Module.parse(text))


def _second(old: str, new: str) -> str:
    first, second = _KERNEL.split("%r = ")
    assert old in second
    return f"{first}%r = {second.replace(old, new, 1)}"


def test_a_tensor_that_nothing_else_reads_is_carried() -> None:
    first, second = _KERNEL.split("  %e = tensor.empty() : tensor<128xf32>\n")
    begun = f"{first}{second}".replace("= %e)", "= %f)").replace("  %t =", f"  %e = {_EMPTY}\n  %t =")
    carried = begun.replace("%r = scf.for %i = %c0 to %c128 step %c32 iter_args(%o = %f)",
                            "%r = scf.for %i = %c0 to %c128 step %c32 iter_args(%o = %t)")  # fmt: skip
    assert _changed(_KERNEL) == _kept(carried.replace("read %t[", "read %o["))


def test_a_read_between_is_done_before() -> None:
    made = _changed(_KERNEL.replace("%l = vector.transfer_read %r", "%l = vector.transfer_read %t"))
    between, last = made.split("scf.for")[1:]
    assert between.count("transfer_read") == 2
    assert "%2 = scf.for" in made.split("transfer_read")[0]
    assert "iter_args(%arg2 = %2)" in last


_READ_LATER = _KERNEL.replace("%s = vector.transfer_write %l, %r", "%s = vector.transfer_write %l, %t")
_STARTS_FULL = _second("= %f)", "= %x)")
_READS_A_PART = """
func.func @kernel(%x: tensor<256xf32>) -> tensor<128xf32> {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %c256 = arith.constant 256 : index
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256xf32>
  %f = tensor.empty() : tensor<128xf32>
  %t = scf.for %i = %c0 to %c256 step %c32 iter_args(%o = %e) -> (tensor<256xf32>) {
    %v = vector.transfer_read %x[%i], %z {in_bounds = [true]} : tensor<256xf32>, vector<32xf32>
    %d = arith.addf %v, %v : vector<32xf32>
    %w = vector.transfer_write %d, %o[%i] {in_bounds = [true]} : vector<32xf32>, tensor<256xf32>
    scf.yield %w : tensor<256xf32>
  }
  %p = tensor.extract_slice %t[64] [128] [1] : tensor<256xf32> to tensor<128xf32>
  %r = scf.for %i = %c0 to %c128 step %c32 iter_args(%o = %f) -> (tensor<128xf32>) {
    %v = vector.transfer_read %p[%i], %z {in_bounds = [true]} : tensor<128xf32>, vector<32xf32>
    %d = arith.mulf %v, %v : vector<32xf32>
    %w = vector.transfer_write %d, %o[%i] {in_bounds = [true]} : vector<32xf32>, tensor<128xf32>
    scf.yield %w : tensor<128xf32>
  }
  return %r : tensor<128xf32>
}
"""


@pytest.mark.parametrize(
    "text",
    [
        _READ_LATER,
        _STARTS_FULL,
        _READS_A_PART,
        _second("vector.transfer_read %t[%i]", "vector.transfer_read %t[%c16]"),
        _second("step %c32", "step %c16").replace("to %c128 step %c16", "to %c32 step %c16"),
        _second("vector.transfer_read %t[%i]", "vector.transfer_read %x[%i]"),
        _second("%d = arith.mulf %v, %v", "%u = vector.transfer_read %t[%c0], %z {in_bounds = [true]} :"
                " tensor<128xf32>, vector<32xf32>\n    %d = arith.mulf %v, %u"),
        _second("%d = arith.mulf %v, %v", "%u = vector.transfer_read %o[%i], %z {in_bounds = [true]} :"
                " tensor<128xf32>, vector<32xf32>\n    %d = arith.mulf %v, %u"),
    ],
    ids=["read later", "known before", "a part", "elsewhere", "overlapping", "argument", "twice", "itself"],
)  # fmt: skip
def test_other_loops_stay(text: str) -> None:
    assert _changed(text) == _kept(text)


def test_the_numbers_are_the_same_without_a_copy() -> None:
    program = """
kernel = compiled(sys.argv[1], memory_bytes=0)
x = np.arange(128, dtype=np.float32)
y = np.empty_like(x)
kernel.bind([x.ctypes.data, y.ctypes.data])(1)
print(np.array_equal(y, 4 * x * x))
"""
    assert run(program, _KERNEL).split() == ["True"]


@pytest.mark.parametrize("length", [96, 128, 200, 333])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_softmax_needs_no_buffer(length: int, shared: bool, threads: int) -> None:
    """Whether or not its ops are written with one empty tensor, or its rows are shared by threads."""
    rows = 6 * threads
    text = softmax((rows,), length)
    if not shared:
        full = f"tensor<{rows}x{length}xf32>"
        before, after = text.rsplit("outs(%full", 1)
        text = f"{before}outs(%own{after}".replace(
            f"%full = tensor.empty() : {full}",
            f"%full = tensor.empty() : {full}\n  %own = tensor.empty() : {full}",
        )
    with Pool() as pool:
        (task,) = pool.analyse(text, "k.mlir").tasks
        (space,) = sketches_for(task, processor_with(64), threads=threads)
        values = dict(space.default().values, **({"shared": "d0/2"} if threads > 1 else {}))
        candidate = Candidate(space.sketch, space.version, tuple(values.items()))
        assert space.is_legal(candidate)
        library = pool.library([(task, candidate)])
    with ir.Context(), ir.Location.unknown():
        program = prepare(text, "k.mlir", accuracy="reassociate").module
        apply_library(program, library, "library", strict=True)
        bufferize_public(program, threads)
        assert str(program).count("scf.forall") == threads - 1
        assert "memref.alloc" not in str(program)
        assert "memref.copy" not in str(program)
