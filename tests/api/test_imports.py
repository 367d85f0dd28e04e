"""`import harl_mlir` loads nothing, and no call loads MLIR into the caller's process."""

from __future__ import annotations

import subprocess
import sys

import pytest

import harl_mlir

HEAVY = "{'torch_mlir', 'torch', 'numpy', 'xgboost', 'msgspec', 'sqlite3', 'importlib.metadata'}"


def loaded(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\nprint(sorted({HEAVY} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_importing_the_package_loads_nothing() -> None:
    assert loaded("import harl_mlir; harl_mlir.__version__, harl_mlir.InputError, dir(harl_mlir)") == "[]"


def test_no_call_loads_mlir_or_torch() -> None:
    program = (
        "import harl_mlir\n"
        "try: harl_mlir.ScheduleLibrary('module {}').entries\n"
        "except harl_mlir.InputError: pass\n"
        "else: raise SystemExit('not refused')\n"
        "harl_mlir.tune\n"
        "sys.modules.pop('numpy', None), sys.modules.pop('msgspec'), sys.modules.pop('sqlite3', None)"
    )
    assert "torch" not in loaded(program)


@pytest.mark.parametrize("name", harl_mlir.__all__)
def test_every_public_name_is_there_documented_and_listed(name: str) -> None:
    assert name in dir(harl_mlir)
    found = getattr(harl_mlir, name)
    assert found.__doc__
    assert getattr(harl_mlir, name) is found


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'harl_mlir' has no attribute 'tuna'"):
        _ = harl_mlir.tuna  # type: ignore[attr-defined]
