"""Compiled kernels, run in a process of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.codegen.compiled import run


def test_kernel_is_called_as_often_as_asked() -> None:
    out = run("""
kernel = compiled('''
func.func @kernel(%s: f32, %i: i32, %a: tensor<f32>, %c: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %w = arith.sitofp %i : i32 to f32
  %t = arith.addf %w, %s : f32
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> ()>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]} ins(%a : tensor<f32>) outs(%c : tensor<4x6xf32>) {
  ^bb0(%x: f32, %y: f32):
    %u = arith.addf %x, %t : f32
    %v = arith.addf %u, %y : f32
    linalg.yield %v : f32
  } -> tensor<4x6xf32>
  return %r : tensor<4x6xf32>
}''')
print([(p.shape, p.element, p.is_scalar) for p in kernel.parameters], kernel.results)
a, c = np.array(0.25, np.float32), np.zeros((4, 6), np.float32)
bound = kernel.bind([0.5, 2, a.ctypes.data, c.ctypes.data])
for n in (1, 0, 7):
    bound(n)
    print(c.min(), c.max())
""")
    lines = out.splitlines()
    assert lines[0] == (
        "[((), 'f32', True), ((), 'i32', True), ((), 'f32', False), ((4, 6), 'f32', False)] "
        "(InPlace(argument=3),)"
    )
    assert lines[1:] == ["2.75 2.75", "2.75 2.75", "22.0 22.0"]


def test_failures_have_their_kinds() -> None:
    out = run("""
same = "%r = tensor.cast %a : tensor<4x6xf32> to tensor<4x6xf32>\\n return %r : tensor<4x6xf32> }"
head = "func.func @kernel(%a: tensor<4x6xf32>) -> tensor<4x6xf32> {"
for text in (
    head + "%r = tosa.abs %a : (tensor<4x6xf32>) -> tensor<4x6xf32>\\n return %r : tensor<4x6xf32> }",
    "func.func private @nowhere()\\n" + head + "func.call @nowhere() : () -> ()\\n" + same,
    "func.func @other() { return }",
    "func.func @kernel() -> f32 { %c = arith.constant 1.0 : f32\\n return %c : f32 }",
    "func.func @kernel(%a: memref<4x6xf32, strided<[12, 1]>>) { return }",
    "func.func @kernel(%a: tensor<?xf32>) { return }",
    "func.func @kernel(%a: tensor<4xf32>, %i: index) -> tensor<4xf32> { %z = arith.constant 0.0 : f32\\n"
    "%e = tensor.empty() : tensor<400xf32>\\n %f = linalg.fill ins(%z : f32) outs(%e : tensor<400xf32>)"
    " -> tensor<400xf32>\\n %g = linalg.exp ins(%f : tensor<400xf32>) outs(%f : tensor<400xf32>)"
    " -> tensor<400xf32>\\n"
    "%x = tensor.extract %g[%i] : tensor<400xf32>\\n %c = arith.constant 0 : index\\n"
    "%r = tensor.insert %x into %a[%c] : tensor<4xf32>\\n return %r : tensor<4xf32> }",
):
    try:
        compiled(text, memory_bytes=1000)
    except (LowerError, JitError, AllocationError) as error:
        print(type(error).__name__)
""")
    assert out.split() == ["LowerError", "JitError", *["LowerError"] * 4, "AllocationError"]


@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs objdump")
def test_the_call_is_in_the_object(tmp_path: Path) -> None:
    # A kernel that an inliner would love.
    run(
        """
kernel = compiled('''func.func @kernel(%a: tensor<1xf32>) -> tensor<1xf32> {
  %z = arith.constant 1.0 : f32
  %r = linalg.fill ins(%z : f32) outs(%a : tensor<1xf32>) -> tensor<1xf32>
  return %r : tensor<1xf32>
}''')
kernel._engine.dump_to_object_file(sys.argv[1])
""",
        str(tmp_path / "kernel.o"),
    )
    listing = subprocess.run(
        ["objdump", "-dr", str(tmp_path / "kernel.o")], capture_output=True, text=True, check=True
    ).stdout
    repeat = listing.split("<harl_repeat>:")[1].split("\n\n")[0]
    assert "kernel" in repeat
    assert any(word in repeat for word in ("call ", "blr", "bl "))


_IN_A_LOOP = """
!all = memref<4x6xf32>
!row = memref<1x6xf32, strided<[6, 1], offset: ?>>
func.func @kernel(%%from: !all, %%to: !all) {
  %%c0 = arith.constant 0 : index
  %%c1 = arith.constant 1 : index
  %%c4 = arith.constant 4 : index
  %%own = memref.alloc() : !all
  scf.for %%i = %%c0 to %%c4 step %%c1 {
    %%f = memref.subview %%from[%%i, 0] [1, 6] [1, 1] : !all to !row
    %%t = memref.subview %%to[%%i, 0] [1, 6] [1, 1] : !all to !row
    %%o = memref.subview %%own[%%i, 0] [1, 6] [1, 1] : !all to !row
    %s
  }
  return
}
"""
_ROW = "memref<1x6xf32, strided<[6, 1], offset: ?>>"


@pytest.mark.parametrize(
    ("op", "refused"),
    [
        (f"memref.copy %f, %o : {_ROW} to {_ROW}", "fine"),
        (f"memref.copy %f, %t : {_ROW} to {_ROW}", "fine"),
        (f"memref.copy %o, %t : {_ROW} to {_ROW}", f"a tile of {_ROW} is copied"),
        (f"linalg.copy ins(%o : {_ROW}) outs(%t : {_ROW})", f"a tile of {_ROW} is copied"),
        ("%a = memref.alloc() : memref<2x3xf32>", "a buffer of memref<2x3xf32> is allocated"),
    ],
)
def test_allocations_and_copies_of_results_in_loops_are_refused(op: str, refused: str) -> None:
    out = run(
        """
from harl_mlir.codegen.memory import check_memory
with ir.Context(), ir.Location.unknown():
    module = ir.Module.parse(sys.argv[1])
    check_memory(module, None, loops=False)
    try:
        check_memory(module, None, loops=True)
        print("fine")
    except LoopMemoryError as error:
        print(error)
""",
        _IN_A_LOOP % op,
    )
    assert out.startswith(refused), out
