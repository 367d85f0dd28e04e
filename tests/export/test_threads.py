"""Exports whose kernels run on two threads: linked by pkg-config and CMake, and called from Python."""

from __future__ import annotations

import ctypes
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import harl_mlir
from harl_mlir.cli.main import main
from harl_mlir.codegen.elf import undefined_symbols
from harl_mlir.codegen.openmp import find_runtime, is_in_openmp
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for
from tests.programs import run
from tests.schedule.sketches.row_kernels import softmax
from tests.threads import NEEDS_THREADS

pytestmark = NEEDS_THREADS

KERNEL = """
func.func @product(%a: tensor<48x64xf32>, %b: tensor<64x96xf32>, %c: tensor<48x96xf32>)
    -> tensor<48x96xf32> {
  %r = linalg.matmul ins(%a, %b : tensor<48x64xf32>, tensor<64x96xf32>) outs(%c : tensor<48x96xf32>)
      -> tensor<48x96xf32>
  return %r : tensor<48x96xf32>
}
func.func @again(%a: tensor<48x64xf32>, %b: tensor<64x96xf32>, %c: tensor<48x96xf32>)
    -> tensor<48x96xf32> {
  %r = linalg.matmul ins(%a, %b : tensor<48x64xf32>, tensor<64x96xf32>) outs(%c : tensor<48x96xf32>)
      -> tensor<48x96xf32>
  %s = linalg.matmul ins(%a, %b : tensor<48x64xf32>, tensor<64x96xf32>) outs(%r : tensor<48x96xf32>)
      -> tensor<48x96xf32>
  return %s : tensor<48x96xf32>
}
"""
PROGRAM = r"""
#include "kernel.h"
#include <dirent.h>
#include <stdio.h>

static float a[48 * 64], b[64 * 96], c[48 * 96], out[48 * 96];

static int tasks(void) {
  int count = -2;
  DIR *directory = opendir("/proc/self/task");
  while (readdir(directory)) ++count;
  closedir(directory);
  return count;
}

int main(void) {
  for (int i = 0; i < 48 * 64; ++i) a[i] = (float)(i % 7 - 3);
  for (int i = 0; i < 64 * 96; ++i) b[i] = (float)(i % 5 - 2);
  int before = tasks();
  again(a, b, c, out);
  for (int i = 0; i < 48; ++i)
    for (int j = 0; j < 96; ++j) {
      float sum = 0;
      for (int k = 0; k < 64; ++k) sum += 2 * a[i * 64 + k] * b[k * 96 + j];
      if (out[i * 96 + j] != sum) return 1;
    }
  printf("right on %d more\n", tasks() - before);
  return 0;
}
"""
CMAKE = """
cmake_minimum_required(VERSION 3.20)
project(program C)
find_package(kernel CONFIG REQUIRED)
foreach(kind kernel static)
  add_executable(by_${kind} program.c)
  target_link_libraries(by_${kind} PRIVATE kernel::${kind})
endforeach()
"""


@pytest.fixture(scope="module")
def library() -> str:
    """Schedules of which two threads share the rows."""
    with Pool() as pool:
        (task,) = pool.analyse(KERNEL, "k.mlir").tasks
        space = sketches_for(task, this_processor(), threads=2)[0]
        return pool.library([(task, space.candidate({**space.default().assignment, "shared": "d0/2"}))])


def test_programs_are_linked_with_the_runtime(library: str, tmp_path: Path) -> None:
    (tmp_path / "kernel.mlir").write_text(KERNEL)
    (tmp_path / "l.mlir").write_text(library)
    (tmp_path / "program.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    package = tmp_path / "package"
    words = ["export", str(tmp_path / "kernel.mlir"), "--library", str(tmp_path / "l.mlir")]
    assert main([*words, "--threads", "2", "-o", str(package)]) == 0
    symbols = run("nm", package / "kernel.o", directory=tmp_path)
    exported = {line.split()[2] for line in symbols.splitlines() if " T " in line}
    assert exported - {"product", "again"} <= {"_mlir_harl.handle.product"}
    flags = run(
        "pkg-config", "--static", "--cflags", "--libs", "kernel",
        directory=tmp_path, PKG_CONFIG_PATH=str(package),
    )  # fmt: skip
    run("cc", "program.c", *flags.split(), "-o", "by_flags", directory=tmp_path)
    right = "right on 1 more\n"
    assert run("./by_flags", directory=tmp_path, LD_LIBRARY_PATH=str(package)) == right
    run("cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={package}", directory=tmp_path)
    run("cmake", "--build", "build", directory=tmp_path)
    for program in ("by_kernel", "by_static"):
        assert run(f"build/{program}", directory=tmp_path) == right


@pytest.mark.parametrize("threads", [1, 2])
def test_a_library_tuned_for_threads_is_right_on_any_number(library: str, threads: int) -> None:
    schedules = harl_mlir.ScheduleLibrary(library)
    module = harl_mlir.compile(KERNEL, schedules, threads=threads)
    rng = np.random.default_rng(0)
    a, b, c = (rng.standard_normal(shape, dtype=np.float32) for shape in ((48, 64), (64, 96), (48, 96)))
    for _ in range(3):
        np.testing.assert_allclose(module["product"](a, b, c), a @ b + c, rtol=1e-4, atol=1e-4)
    assert (b"__kmpc_fork_call" in module.object_code) == (threads == 2)


def test_the_runtime_has_what_objects_call(library: str) -> None:
    module = harl_mlir.compile(KERNEL, harl_mlir.ScheduleLibrary(library), threads=2)
    called = {name for name in undefined_symbols(module.object_code) if is_in_openmp(name)}
    assert called == {
        "__kmpc_global_thread_num", "__kmpc_push_num_threads", "__kmpc_fork_call",
        "__kmpc_dispatch_init_8u", "__kmpc_dispatch_next_8u",
    }  # fmt: skip
    runtime = ctypes.CDLL(find_runtime())
    assert all(hasattr(runtime, name) for name in called)


def test_several_threads_call_schedules_of_all_kinds_again_and_again() -> None:
    rows, columns = 64, 96
    text = KERNEL.split("func.func @again")[0] + softmax((rows,), columns)
    with Pool(threads=2) as pool:
        entries = []
        for task in pool.analyse(text, "k.mlir").tasks:
            spaces = sketches_for(task, this_processor(), threads=2)
            space = next((s for s in spaces if s.sketch == "contraction_panels"), spaces[0])
            entries.append((task, space.candidate({**space.default().assignment, "shared": "d0/2"})))
        module = harl_mlir.compile(text, harl_mlir.ScheduleLibrary(pool.library(entries)), threads=2)
    assert [outcome.matched for outcome in module.outcomes] == [True] * len(module.outcomes)
    right: list[bool] = []

    def use(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(20):
            a, b, c = (rng.standard_normal(s, dtype=np.float32) for s in ((48, 64), (64, 96), (48, 96)))
            x = rng.standard_normal((rows, columns), dtype=np.float32)
            powers = np.exp(x - x.max(axis=1, keepdims=True))
            product, shares = module["product"](a, b, c), module["f"](x, x[0])
            assert isinstance(product, np.ndarray)
            assert isinstance(shares, np.ndarray)
            right.append(np.allclose(product, a @ b + c, rtol=1e-4, atol=1e-4))
            right.append(np.allclose(shares, powers / powers.sum(axis=1, keepdims=True), atol=1e-6))

    users = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert right == [True] * (4 * 20 * 2)
    used = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - used < 0.1
