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
from harl_mlir.measure.operands import exact, stored
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


EXPONENTIALS = """
func.func @powers(%x: tensor<64xf32>) -> tensor<64xf32> {
  %e = tensor.empty() : tensor<64xf32>
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %s = linalg.sub ins(%x, %x : tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<64xf32>) -> tensor<64xf32>
  %v = vector.transfer_read %s[%c0], %z {in_bounds = [true]} : tensor<64xf32>, vector<64xf32>
  %y = math.exp %v : vector<64xf32>
  %r = vector.transfer_write %y, %e[%c0] {in_bounds = [true]} : vector<64xf32>, tensor<64xf32>
  return %r : tensor<64xf32>
}
"""


@pytest.mark.parametrize(
    ("cpu", "scales"),
    [("x86-64-v4", True), ("skylake-avx512", True), ("x86-64-v3", False), ("x86-64", False)],
)
def test_exp_is_scaled_by_processors_that_can(
    pool: Pool, library: str, tmp_path: Path, cpu: str, scales: bool
) -> None:
    approximate = library.replace('harl.accuracy = "reassociate"', 'harl.accuracy = "approximate"')
    made = pool.compile(EXPONENTIALS, "kernel.mlir", approximate, target=Target(cpu))
    assert not undefined_symbols(made.object)
    assert ("vscalefps" in disassembled(made.object, tmp_path)) == scales


BF16 = """
func.func @rounded(%x: tensor<64xf32>, %y: tensor<64xbf16>) -> (tensor<64xbf16>, tensor<64xbf16>) {
  %e = tensor.empty() : tensor<64xbf16>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]} ins(%x : tensor<64xf32>) outs(%e : tensor<64xbf16>) {
  ^bb0(%a: f32, %o: bf16):
    %n = arith.truncf %a : f32 to bf16
    linalg.yield %n : bf16
  } -> tensor<64xbf16>
  %s = linalg.add ins(%r, %y : tensor<64xbf16>, tensor<64xbf16>) outs(%e : tensor<64xbf16>) -> tensor<64xbf16>
  return %r, %s : tensor<64xbf16>, tensor<64xbf16>
}
"""


@pytest.mark.parametrize("cpu", ["x86-64", "x86-64-v3", "x86-64-v4"])
def test_bf16_is_rounded_in_integers_where_there_is_no_instruction(pool: Pool, cpu: str) -> None:
    bits = np.random.default_rng(4).integers(0, 1 << 32, 64, dtype=np.uint32)
    # Infinity, NaN, halfway to even and to odd, the largest that is finite.
    bits[:6] = 0x7F800000, 0x7FC00001, 0x3F808000, 0x3F818000, 0x7F7FFFFF, 0x80000000
    x, y = bits.view(np.float32), stored(np.linspace(-3, 3, 64), "bf16")
    made = pool.compile(BF16, "kernel.mlir", target=Target(cpu))
    assert not [name for name in undefined_symbols(made.object) if name.startswith("__")]
    rounded, total = load(made.object, made.functions)["rounded"](x, y)
    with np.errstate(all="ignore"):
        total_wanted = (exact(rounded, "bf16") + exact(y, "bf16")).astype(np.float32)
        for result, wanted in ((rounded, x), (total, total_wanted)):
            numbers = ~np.isnan(wanted)
            assert (np.isnan(exact(result, "bf16")) == ~numbers).all()
            np.testing.assert_array_equal(result[numbers], stored(wanted, "bf16")[numbers])


@pytest.mark.parametrize("cpu", ["cortex-a72", "nonsense", "help", "i386", ""])
def test_unknown_targets_are_refused(pool: Pool, cpu: str) -> None:
    with pytest.raises(InputError, match="x86-64"):
        pool.compile(MATMUL, "kernel.mlir", target=Target(cpu))
