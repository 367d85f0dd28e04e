"""What the tests in this directory need: MLIR 22's tools, this package's Python and its C++ passes."""

# ruff: noqa: F821  (lit gives `config` and `lit_config`)

import os
import shutil
import sys
from pathlib import Path

import lit.formats

_LLVM = "/usr/lib/llvm-22/bin"
_HERE = Path(__file__).resolve().parent


def _tool(name: str) -> str:
    found = shutil.which(f"{name}-22") or shutil.which(name, path=_LLVM)
    if found is None:
        lit_config.fatal(f"{name} of MLIR 22 is missing; Debian has it in mlir-22-tools and llvm-22-tools")
    return found


config.name = "harl_mlir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["Inputs"]
config.test_source_root = str(_HERE)
config.test_exec_root = str(_HERE / "Output")

# The C++ passes: those that `cmake --workflow --preset passes` builds, or of another build directory.
_passes = Path(os.environ.get("HARL_PASSES_BUILD", _HERE.parent / "build" / "passes"))
_harl_opt, _plugin = _passes / "bin" / "harl-opt", _passes / "lib" / "HarlPasses.so"
if _harl_opt.exists() and _plugin.exists():
    config.available_features.add("passes")
else:
    lit_config.note(
        f"the C++ passes are not built in {_passes}, so their tests are unsupported;"
        " `cmake --workflow --preset passes` builds them"
    )

# A transform that hangs must not hang the tests.
_limit = "timeout 100"
# In the command, because lit's own `cat` sets the variable for what comes after it.
_python = f"env PYTHONPATH={_HERE.parent} {_limit} {sys.executable}"
config.substitutions += [
    ("%mlir-opt", f"{_limit} {_tool('mlir-opt')}"),
    ("%harl-opt", f"{_limit} {_harl_opt}"),
    ("%plugin", str(_plugin)),
    ("%run", f"{_limit} {_tool('mlir-runner')} -e main --entry-point-result=i64"),
    ("%FileCheck", _tool("FileCheck")),
    ("%write-library", f"{_python} {_HERE / 'tools' / 'write_library.py'}"),
    ("%harl-mlir-opt", f"{_python} -m harl_mlir opt"),
    ("%lower", f"{_python} {_HERE / 'tools' / 'lower.py'} {_tool('mlir-opt')}"),
]
