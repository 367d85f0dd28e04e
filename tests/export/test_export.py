"""What `harl-mlir export` writes, as other programs use it: C, CMake, pkg-config, a bare Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harl_mlir.cli.main import main
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import Processor
from harl_mlir.space.sketches import sketches_for
from tests.programs import run

KERNEL = """
func.func @"mat.mul"(%a: tensor<48x64xf32>, %b: tensor<64x96xf32>, %c: tensor<48x96xf32>)
    -> tensor<48x96xf32> {
  %r = linalg.matmul ins(%a, %b : tensor<48x64xf32>, tensor<64x96xf32>) outs(%c : tensor<48x96xf32>)
      -> tensor<48x96xf32>
  return %r : tensor<48x96xf32>
}
func.func @scale(%x: memref<96xf32>, %by: f32, %n: index) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%x : memref<96xf32>) {
    ^bb0(%e: f32):
      %p = arith.mulf %e, %by : f32
      linalg.yield %p : f32
  }
  return
}
"""
PROGRAM = r"""
#include "two_kernels.h"
#include <stdio.h>
#include <stdlib.h>

static float a[48 * 64], b[64 * 96], c[48 * 96], out[48 * 96], x[96];

int main(void) {
  for (int i = 0; i < 48 * 64; ++i) a[i] = (float)(i % 7 - 3);
  for (int i = 0; i < 64 * 96; ++i) b[i] = (float)(i % 5 - 2);
  for (int i = 0; i < 48 * 96; ++i) c[i] = (float)(i % 11);
  for (int i = 0; i < 96; ++i) x[i] = (float)i;
  mat_mul(a, b, c, out);
  scale(x, 0.5f, 96);
  for (int i = 0; i < 48; ++i)
    for (int j = 0; j < 96; ++j) {
      float sum = (float)((i * 96 + j) % 11);
      if (c[i * 96 + j] != sum) return 2;
      for (int k = 0; k < 64; ++k) sum += a[i * 64 + k] * b[k * 96 + j];
      if (out[i * 96 + j] != sum) return 1;
    }
  for (int i = 0; i < 96; ++i)
    if (x[i] != 0.5f * (float)i) return 3;
  puts("right");
  return 0;
}
"""
CMAKE = """
cmake_minimum_required(VERSION 3.20)
project(program C)
find_package(two_kernels CONFIG REQUIRED)
add_executable(by_shared program.c)
target_link_libraries(by_shared PRIVATE two_kernels::two_kernels)
add_executable(by_static program.c)
target_link_libraries(by_static PRIVATE two_kernels::static)
"""
BARE_PYTHON = """
import ctypes, sys
for name in ("harl_mlir", "numpy", "torch_mlir"):
    try:
        __import__(name)
    except ImportError:
        continue
    sys.exit(f"{name} can be imported")
kernels = ctypes.CDLL(sys.argv[1])
numbers = lambda values: (ctypes.c_float * len(values))(*values)
a, b = numbers([i % 7 - 3 for i in range(48 * 64)]), numbers([i % 5 - 2 for i in range(64 * 96)])
c, out = numbers([1.0] * (48 * 96)), numbers([0.0] * (48 * 96))
kernels.mat_mul(a, b, c, out)
for i in range(48):
    for j in range(96):
        assert out[i * 96 + j] == 1 + sum(a[i * 64 + k] * b[k * 96 + j] for k in range(64))
x = numbers(range(96))
kernels.scale.argtypes = [ctypes.c_void_p, ctypes.c_float, ctypes.c_int64]
kernels.scale(x, 3.0, 96)
assert list(x) == [3.0 * i for i in range(96)]
print("right")
"""
WIDE = Processor("wide", ("avx512f",), 64, 32, 48 << 10, 1 << 20, 32 << 20)
"""A processor with 512-bit vectors, whatever this one is."""
FILES = {
    "two_kernels.o", "libtwo_kernels.a", "libtwo_kernels.so", "two_kernels.h", "two_kernels-config.cmake",
    "two_kernels.pc",
}  # fmt: skip


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `two-kernels.mlir` and a library tuned for 512-bit vectors."""
    directory = tmp_path_factory.mktemp("kernels")
    (directory / "two-kernels.mlir").write_text(KERNEL)
    with Pool() as pool:
        tasks = pool.analyse(KERNEL, "k.mlir").tasks
        library = pool.library([(task, sketches_for(task, WIDE)[0].default()) for task in tasks])
    (directory / "schedules.mlir").write_text(library)
    return directory


def export(kernels: Path, out: Path, *words: str) -> int:
    given = [str(kernels / "two-kernels.mlir"), "--library", str(kernels / "schedules.mlir"), "-o", str(out)]
    return main(["export", *given, *words])


@pytest.fixture(scope="module")
def exported(kernels: Path) -> Path:
    """An export that has been moved."""
    assert export(kernels, kernels / "made") == 0
    moved = kernels / "moved to"
    shutil.move(kernels / "made", moved)
    return moved


def test_what_is_written(exported: Path) -> None:
    assert {file.name for file in exported.iterdir()} == FILES
    header = (exported / "two_kernels.h").read_text()
    assert "void mat_mul(const float *a, const float *b, const float *c, float *__restrict out);" in header
    assert "void scale(float *__restrict x, float by, int64_t n);" in header
    assert re.search(r"\* +out +out +float\[48\]\[96\] +strides 96, 1 ", header)
    assert "/* mat_mul, @mat.mul\n" in header


def test_a_program_is_linked_by_pkg_config(exported: Path, tmp_path: Path) -> None:
    # A path with a space is more than pkg-config can say.
    package = tmp_path / "package"
    shutil.copytree(exported, package)
    (tmp_path / "program.c").write_text(PROGRAM)
    flags = run(
        "pkg-config", "--cflags", "--libs", "two_kernels", directory=tmp_path, PKG_CONFIG_PATH=str(package)
    )
    run("cc", "-Wall", "-Wextra", "-Werror", "program.c", *flags.split(), "-o", "program", directory=tmp_path)
    assert run("./program", directory=tmp_path, LD_LIBRARY_PATH=str(package)) == "right\n"


def test_a_program_is_linked_with_the_static_library_by_plain_flags(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "program.c").write_text(PROGRAM)
    for extra in ([], ["-no-pie"]):
        words = [
            "cc",
            "program.c",
            f"-I{exported}",
            exported / "libtwo_kernels.a",
            "-lm",
            *extra,
            "-o",
            "program",
        ]
        run(*words, directory=tmp_path)
        assert run("./program", directory=tmp_path) == "right\n"
    (tmp_path / "program.cpp").write_text('#include "two_kernels.h"\nint main() { scale(nullptr, 0, 0); }\n')
    run(
        "c++",
        "-c",
        "program.cpp",
        f"-I{exported}",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-pedantic",
        directory=tmp_path,
    )


def test_a_program_is_linked_by_the_cmake_package(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "program.c").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    run("cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={exported}", directory=tmp_path)
    run("cmake", "--build", "build", directory=tmp_path)
    for program in ("by_shared", "by_static"):
        assert run(f"build/{program}", directory=tmp_path) == "right\n"


def test_a_python_with_nothing_installed_calls_it(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "bare.py").write_text(BARE_PYTHON)
    words = (sys.executable, "-I", "-S", "bare.py", exported / "libtwo_kernels.so")
    assert run(*words, directory=tmp_path) == "right\n"


def instructions(object_file: Path) -> list[str]:
    """Instructions as `bytes<TAB>text`."""
    tool = shutil.which("objdump") or shutil.which("llvm-objdump-22")
    assert tool is not None
    shown = subprocess.run([tool, "-dw", object_file], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^ +[0-9a-f]+:\s+((?:[0-9a-f]{2} )+\s*\S.*)$", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("cpu", "evex", "vex"),
    [
        ("x86-64-v4", True, True),
        ("x86-64-v3", False, True),
        ("haswell", False, True),
        ("x86-64", False, False),
    ],
)
def test_no_instruction_is_above_the_target(
    kernels: Path, tmp_path: Path, cpu: str, evex: bool, vex: bool
) -> None:
    assert export(kernels, tmp_path / "out", "--target-cpu", cpu) == 0
    found = instructions(tmp_path / "out" / "two_kernels.o")
    assert len(found) > 100
    # In 64-bit code these bytes begin nothing else.
    assert any(line.startswith("62 ") for line in found) == evex
    assert any("zmm" in line for line in found) == evex
    assert any(line.startswith(("c4 ", "c5 ")) for line in found) == vex
    assert any("ymm" in line for line in found) == vex
    assert any("vfmadd" in line for line in found) == vex
    assert any("mulps" in line for line in found)


def test_an_export_replaces_an_earlier_one_and_nothing_else(
    kernels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert export(kernels, out) == 0
    before = (out / "two_kernels.o").read_bytes()
    assert export(kernels, out, "--target-cpu", "x86-64") == 0
    assert {file.name for file in out.iterdir()} == FILES
    assert (out / "two_kernels.o").read_bytes() != before
    (out / "notes").write_text("mine")
    assert export(kernels, out) == 1
    assert "holds other files (notes)" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_nothing_is_written_where_linking_fails(
    kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ar").symlink_to(shutil.which("ar") or "")
    monkeypatch.setenv("PATH", str(tools))
    assert export(kernels, tmp_path / "out") == 1
    assert "no C compiler to link with is on the PATH; install one" in capsys.readouterr().err
    (tools / "cc").write_text("#!/bin/sh\necho 'collect2: fatal error: no ld' >&2\nexit 1\n")
    (tools / "cc").chmod(0o755)
    assert export(kernels, tmp_path / "out") == 1
    assert "failed: collect2: fatal error: no ld" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["tools"]


def test_json_names_functions_and_files(kernels: Path, tmp_path: Path, harl_mlir: Callable[..., Any]) -> None:
    kernel, library = kernels / "two-kernels.mlir", kernels / "schedules.mlir"
    ended = harl_mlir("export", kernel, "--library", library, "-o", "out", "--function", "mat.mul", "--json")
    assert ended.exit_code == 0, ended.err
    (function,) = ended.object["functions"]
    assert (function["name"], function["symbol"]) == ("mat.mul", "mat_mul")
    assert function["parameters"][3] == {
        "name": "out", "role": "out", "element": "f32", "shape": [48, 96], "strides": [96, 1],
    }  # fmt: skip
    assert {Path(file).name for file in ended.object["written"]} == FILES
    assert all((tmp_path / file).is_file() for file in ended.object["written"])


def test_refusals(kernels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(kernels, tmp_path / "out", "--target-cpu", "cortex-a72") == 1
    assert (
        "no x86 processor 'cortex-a72', and other architectures are not supported" in capsys.readouterr().err
    )
    other = tmp_path / "other.mlir"
    other.write_text(KERNEL.replace("48", "49").replace("<96x", "<97x"))
    words = ["export", str(other), "--library", str(kernels / "schedules.mlir"), "-o", str(tmp_path / "out")]
    assert main(words) == 1
    assert "no linalg op of it matches" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
