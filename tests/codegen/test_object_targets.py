"""Objects of `Pool.compile` for other processors, and the vector math library that they may call."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.codegen.elf import undefined_symbols
from harl_mlir.codegen.target import Target
from harl_mlir.codegen.vector_library import is_in_libmvec
from harl_mlir.errors import InputError
from harl_mlir.export.link import libraries
from harl_mlir.export.loaded import load
from harl_mlir.export.package import cmake_config, pkg_config
from harl_mlir.measure.pool import Pool
from tests.codegen.test_object import MATMUL, ON_MEMREF, default_library

VECTORS = """
func.func @sines(%x: tensor<24xf64>) -> tensor<24xf64> {
  %e = tensor.empty() : tensor<24xf64>
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f64
  %v = vector.transfer_read %x[%c0], %z {in_bounds = [true]} : tensor<24xf64>, vector<24xf64>
  %s = math.sin %v : vector<24xf64>
  %f = linalg.fill ins(%z : f64) outs(%e : tensor<24xf64>) -> tensor<24xf64>
  %r = vector.transfer_write %s, %f[%c0] {in_bounds = [true]} : vector<24xf64>, tensor<24xf64>
  return %r : tensor<24xf64>
}
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as own:
        yield own


@pytest.fixture(scope="module")
def library(pool: Pool) -> str:
    return default_library(pool)


@pytest.mark.skipif(not is_in_libmvec("_ZGVbN2v_sin"), reason="the system has no vector math library")
def test_the_vector_math_library_is_linked_where_it_is_called(pool: Pool, tmp_path: Path) -> None:
    letters = {"x86-64": "b", "x86-64-v3": "d", None: None}
    x = np.linspace(-9, 9, 24)
    for cpu, letter in letters.items():
        made = pool.compile(VECTORS, "kernel.mlir", target=cpu and Target(cpu))
        called = [symbol for symbol in undefined_symbols(made.object) if symbol.startswith("_ZGV")]
        assert called
        assert letter is None or {symbol[4] for symbol in called} == {letter}
        assert libraries(made.object) == ("mvec", "m")
        np.testing.assert_allclose(load(made.object, made.functions)["sines"](x), np.sin(x), rtol=1e-15)
    assert "Libs.private: -lmvec -lm\n" in pkg_config("k", "", "1", ("mvec", "m"))
    assert 'INTERFACE_LINK_LIBRARIES "mvec;m"' in cmake_config("k", ("mvec", "m"))
    assert libraries(pool.compile(MATMUL, "kernel.mlir").object) == ("m",)


def disassembled(made: bytes, directory: Path) -> str:
    tool = shutil.which("objdump") or shutil.which("llvm-objdump-22")
    assert tool is not None
    (directory / "k.o").write_bytes(made)
    shown = subprocess.run([tool, "-d", directory / "k.o"], capture_output=True, text=True, check=True)
    return shown.stdout


def test_a_target_limits_the_instructions(pool: Pool, library: str, tmp_path: Path) -> None:
    def code(target: Target | None) -> str:
        return disassembled(pool.compile(MATMUL, "kernel.mlir", library, target=target).object, tmp_path)

    assert "zmm" in code(Target("x86-64-v4"))
    third = code(Target("x86-64-v3"))
    assert "ymm" in third
    assert "vfmadd" in third
    assert "zmm" not in third
    first = code(Target("x86-64"))
    assert "mulps" in first
    assert "ymm" not in first
    assert "vmulps" not in first
    assert "vfmadd" not in code(Target("x86-64-v3", ("-fma",)))


def test_what_a_processor_cannot_do_is_refused_instead_of_calling_a_compilers_library(pool: Pool) -> None:
    kernel = ON_MEMREF.format("").replace("xf32", "xf16")
    assert pool.compile(kernel, "kernel.mlir", target=Target("x86-64-v3")).object
    with pytest.raises(
        InputError, match=r"has no instruction for what __\w+hf\w+ does, which is not in libc"
    ):
        pool.compile(kernel, "kernel.mlir", target=Target("x86-64"))


@pytest.mark.parametrize("cpu", ["cortex-a72", "nonsense", "help", "i386", ""])
def test_unknown_targets_are_refused(pool: Pool, cpu: str) -> None:
    with pytest.raises(InputError, match="x86-64"):
        pool.compile(MATMUL, "kernel.mlir", target=Target(cpu))
