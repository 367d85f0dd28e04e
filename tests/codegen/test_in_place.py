"""Loops that compute a tensor in the place of the one they read: where that is right, and only there."""

from __future__ import annotations

import pytest

from harl_mlir.codegen.in_place import compute_in_place
from harl_mlir.mlir import ir
from tests.codegen.compiled import run

_KERNEL = """
func.func @kernel(%x: tensor<128xf32>) -> tensor<128xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<128xf32>
  %t = scf.for %i = %c0 to %c128 step %c32 iter_args(%o = %e) -> (tensor<128xf32>) {
    %v = vector.transfer_read %x[%i], %z {in_bounds = [true]} : tensor<128xf32>, vector<32xf32>
    %d = arith.addf %v, %v : vector<32xf32>
    %w = vector.transfer_write %d, %o[%i] {in_bounds = [true]} : vector<32xf32>, tensor<128xf32>
    scf.yield %w : tensor<128xf32>
  }
  %r = scf.for %i = %c0 to %c128 step %c32 iter_args(%o = %e) -> (tensor<128xf32>) {
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
    carried = _second("iter_args(%o = %e)", "iter_args(%o = %t)")
    assert _changed(_KERNEL) == _kept(carried.replace("transfer_read %t[", "transfer_read %o["))


_READ_LATER = _KERNEL.replace("%l = vector.transfer_read %r", "%l = vector.transfer_read %t")
_STARTS_FULL = _KERNEL.replace("%e = tensor.empty() : tensor<128xf32>", "").replace("= %e)", "= %x)")


@pytest.mark.parametrize(
    "text",
    [
        _READ_LATER,
        _STARTS_FULL,
        _second("vector.transfer_read %t[%i]", "vector.transfer_read %t[%c16]"),
        _second("step %c32", "step %c16").replace("to %c128 step %c16", "to %c32 step %c16"),
        _second("vector.transfer_read %t[%i]", "vector.transfer_read %x[%i]"),
        _second("%d = arith.mulf %v, %v", "%u = vector.transfer_read %t[%c0], %z {in_bounds = [true]} :"
                " tensor<128xf32>, vector<32xf32>\n    %d = arith.mulf %v, %u"),
        _second("%d = arith.mulf %v, %v", "%u = vector.transfer_read %o[%i], %z {in_bounds = [true]} :"
                " tensor<128xf32>, vector<32xf32>\n    %d = arith.mulf %v, %u"),
    ],
    ids=["read later", "known before", "elsewhere", "overlapping", "an argument", "twice", "itself"],
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
