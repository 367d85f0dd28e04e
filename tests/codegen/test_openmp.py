from __future__ import annotations

import ctypes.util
import os
from collections.abc import Callable
from importlib import metadata

import pytest

from harl_mlir.codegen import openmp
from harl_mlir.codegen.lowering import to_llvm_text
from harl_mlir.errors import UsageError
from tests.codegen.compiled import run
from tests.threads import NEEDS_THREADS


def _needs_threads(test: Callable[[], None]) -> Callable[[], None]:
    for mark in NEEDS_THREADS:
        test = mark(test)
    return test


# Each part sums twice its rows through a buffer of its own; the sum of a row overwrites the row.
_KERNEL = """
KERNEL = '''
func.func @kernel(%a: tensor<64x512xf32>, %c: tensor<64x512xf32>) -> tensor<64x512xf32> {
  %r = scf.forall (%i) = (0) to (64) step (8) shared_outs(%o = %c) -> tensor<64x512xf32> {
    %from = tensor.extract_slice %a[%i, 0] [8, 512] [1, 1] : tensor<64x512xf32> to tensor<8x512xf32>
    %to = tensor.extract_slice %o[%i, 0] [8, 512] [1, 1] : tensor<64x512xf32> to tensor<8x512xf32>
    %e = tensor.empty() : tensor<512x8xf32>
    %t = linalg.transpose ins(%from : tensor<8x512xf32>) outs(%e : tensor<512x8xf32>) permutation = [1, 0]
    %s = linalg.generic {
        indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
        iterator_types = ["parallel", "parallel"]
    } ins(%t : tensor<512x8xf32>) outs(%to : tensor<8x512xf32>) {
    ^bb0(%x: f32, %y: f32):
      %d = arith.addf %x, %x : f32
      linalg.yield %d : f32
    } -> tensor<8x512xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %s into %o[%i, 0] [8, 512] [1, 1]
        : tensor<8x512xf32> into tensor<64x512xf32>
    }
  }
  return %r : tensor<64x512xf32>
}
'''
"""
_CALLERS = (
    _KERNEL
    + """
import threading
kernel = compiled(KERNEL, threads=2)
wrong = []
def use(seed):
    rng = np.random.default_rng(seed)
    c = np.zeros((64, 512), np.float32)
    for _ in range(40):
        a = rng.random((64, 512), np.float32)
        c[:] = 0
        kernel.bind([a.ctypes.data, c.ctypes.data])(3)
        if not np.array_equal(c, a + a):
            wrong.append(seed)
"""
)


_NESTED = """
KERNEL = '''
func.func @kernel(%a: memref<8x12xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (8) {
    scf.forall (%j, %k) = (0, 0) to (3, 4) step (1, 2) {
      scf.forall (%l) in (2) {
        %m = arith.addi %k, %l : index
        %n = affine.apply affine_map<(d0, d1) -> (d0 * 4 + d1)>(%j, %m)
        %x = memref.load %a[%i, %n] : memref<8x12xf32>
        %y = arith.addf %x, %one : f32
        memref.store %y, %a[%i, %n] : memref<8x12xf32>
      }
    }
  }
  scf.forall (%i) in (8) {
    %z = arith.constant 0 : index
    %x = memref.load %a[%i, %z] : memref<8x12xf32>
    %y = arith.addf %x, %one : f32
    memref.store %y, %a[%i, %z] : memref<8x12xf32>
  } {harl.alone}
  return
}
'''
"""


# The first iteration ends when the second has run, or after so many looks; both begin as one thread's.
_WAITING = """
KERNEL = '''
func.func @kernel(%ran: memref<4xi32>, %looks: memref<1xi64>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %most = arith.constant 1000000000 : i64
  %none = arith.constant 0 : i64
  %step = arith.constant 1 : i64
  %nothing = arith.constant 0 : i32
  %yes = arith.constant 1 : i32
  scf.forall (%i) in (4) {
    %first = arith.cmpi eq, %i, %zero : index
    scf.if %first {
      %n = scf.while (%k = %none) : (i64) -> i64 {
        %now = memref.atomic_rmw addi %nothing, %ran[%one] : (i32, memref<4xi32>) -> i32
        %waits = arith.cmpi eq, %now, %nothing : i32
        %few = arith.cmpi slt, %k, %most : i64
        %more = arith.andi %waits, %few : i1
        scf.condition(%more) %k : i64
      } do {
      ^bb0(%k: i64):
        %next = arith.addi %k, %step : i64
        scf.yield %next : i64
      }
      memref.store %n, %looks[%zero] : memref<1xi64>
    }
    %before = memref.atomic_rmw addi %yes, %ran[%i] : (i32, memref<4xi32>) -> i32
  }
  return
}
'''
"""


def test_only_the_outermost_loop_that_is_not_marked_is_shared() -> None:
    out = run(
        _NESTED
        + """
from harl_mlir.codegen.lowering import bufferize
with ir.Context(), ir.Location.unknown():
    module = ir.Module.parse(KERNEL)
    bufferize(module, "kernel", 2)
    text = str(module)
print(text.count("scf.forall"), text.count("scf.for "), text.count("scf.parallel"))
"""
    )
    assert out == "1 4 0\n"


@_needs_threads
def test_loops_inside_of_a_shared_one_run_all_their_steps() -> None:
    out = run(
        _NESTED
        + """
a = np.zeros((8, 12), np.float32)
compiled(KERNEL, threads=2).bind([a.ctypes.data])(1)
want = np.ones((8, 12), np.float32)
want[:, 0] = 2
print(np.array_equal(a, want))
"""
    )
    assert out == "True\n"


@_needs_threads
def test_a_thread_takes_what_another_has_not_begun() -> None:
    out = run(
        _WAITING
        + """
kernel = compiled(KERNEL, threads=2)
for _ in range(20):
    ran, looks = np.zeros(4, np.int32), np.zeros(1, np.int64)
    kernel.bind([ran.ctypes.data, looks.ctypes.data])(1)
    assert ran.tolist() == [1, 1, 1, 1], ran
    assert looks[0] < 1000000000
"""
    )
    assert out == ""


def test_the_lowering_for_one_thread_knows_no_openmp() -> None:
    assert "openmp" not in to_llvm_text()
    text = to_llvm_text(threads=3)
    assert "convert-scf-to-openmp{num-threads=3}" in text
    assert "scf-forall-to-parallel" in text
    assert "$" not in text


@_needs_threads
def test_several_threads_of_the_application_call_at_once_and_again() -> None:
    out = run(
        _CALLERS
        + """
threads = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
use(4)
print(wrong)
"""
    )
    assert out == "[]\n"


@_needs_threads
def test_a_second_thread_runs_and_sleeps_after_the_call() -> None:
    out = run(
        _CALLERS
        + """
import os, time
before = len(os.listdir("/proc/self/task"))
use(0)
started = len(os.listdir("/proc/self/task")) - before
cpu = time.process_time()
time.sleep(0.3)
print(wrong, started, time.process_time() - cpu < 0.05)
"""
    )
    assert out == "[] 1 True\n"


@_needs_threads
def test_the_pool_of_torch_is_at_work_meanwhile() -> None:
    out = run(
        _CALLERS
        + """
import torch
torch.set_num_threads(2)
thread = threading.Thread(target=use, args=(1,))
thread.start()
a = torch.ones(300, 300)
right = all(bool((a @ a == 300).all()) for _ in range(40))
thread.join()
use(2)
print(wrong, right)
"""
    )
    assert out == "[] True\n"


@pytest.mark.parametrize(
    ("threads", "inner", "refused"), [(1, False, True), (2, False, False), (2, True, True)]
)
def test_only_the_loop_that_threads_share_may_allocate(threads: int, inner: bool, refused: bool) -> None:
    out = run(
        """
from harl_mlir.codegen.memory import check_memory
body = "%a = memref.alloc() : memref<4xf32>"
if sys.argv[2] == "True":
    body = "scf.for %j = %z to %n step %n { " + body + " }"
text = "func.func @f(%z: index, %n: index) { scf.forall (%i) in (4) { " + body + " } return }"
with ir.Context(), ir.Location.unknown():
    try:
        check_memory(ir.Module.parse(text), None, loops=True, threads=int(sys.argv[1]))
        print("fine")
    except LoopMemoryError as error:
        print(error)
""",
        str(threads),
        str(inner),
    )
    assert ("is allocated in a loop" in out) == refused, out


def test_without_a_runtime_more_than_one_thread_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    monkeypatch.setattr(metadata, "distribution", missing)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    openmp.check_threads(1)
    with pytest.raises(UsageError, match=r"pip install 'harl_mlir\[threads\]'"):
        openmp.check_threads(2)
    with pytest.raises(UsageError, match="4 threads need as many cores, and 3 may be used; use --threads 3"):
        openmp.check_threads(4)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: f"lib{name}.so.5")
    assert openmp.find_runtime() == "libomp.so.5"
