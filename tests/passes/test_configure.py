"""Configuring without a usable MLIR says in a sentence what to install."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.passes.built import ROOT

PACKAGES = "apt-get install libmlir-22-dev mlir-22-tools llvm-22-dev"


def configure(*options: str) -> str:
    """What the search for MLIR says, on one line; it has to fail."""
    if shutil.which("cmake") is None:
        pytest.skip("cmake is missing")
    command = ["cmake", *options, "-P", str(ROOT / "cmake" / "HarlFindMLIR.cmake")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    return " ".join(done.stderr.split())


def test_no_llvm() -> None:
    said = configure("-DCMAKE_DISABLE_FIND_PACKAGE_LLVM=ON")
    assert "LLVM is not installed (LLVM and MLIR 22 are accepted)" in said
    assert PACKAGES in said


def test_no_mlir(tmp_path: Path) -> None:
    (tmp_path / "LLVMConfig.cmake").write_text(
        f'set(LLVM_VERSION_MAJOR 22)\nset(LLVM_PACKAGE_VERSION 22.1.8)\nset(LLVM_LIBRARY_DIR "{tmp_path}")\n'
    )
    said = configure(f"-DLLVM_DIR={tmp_path}")
    assert "MLIR of LLVM 22.1.8 is not installed" in said
    assert "MLIRConfig.cmake is missing" in said
    assert PACKAGES in said


@pytest.mark.parametrize("major", [21, 23])
def test_another_version(tmp_path: Path, major: int) -> None:
    (tmp_path / "LLVMConfig.cmake").write_text(
        f"set(LLVM_VERSION_MAJOR {major})\nset(LLVM_PACKAGE_VERSION {major}.1.0)\n"
    )
    said = configure(f"-DLLVM_DIR={tmp_path}")
    assert f"LLVM {major}.1.0 in {tmp_path} cannot be used: LLVM and MLIR 22 are accepted" in said
    assert PACKAGES in said
