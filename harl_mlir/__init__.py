"""harl_mlir: learned tuning of MLIR linalg kernels for CPUs.

The public interface is `tune`, `compile`, `ScheduleLibrary` and `Database`, and the errors they raise; see
`harl_mlir.api`. They are loaded when they are first asked for: importing this package loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harl_mlir.api import CompiledModule, Database, ScheduleLibrary, Tuned, compile, tune
    from harl_mlir.errors import DatabaseError, HarlError, InputError, UsageError

__version__ = "0.1.0"

__all__ = [
    "CompiledModule",
    "Database",
    "DatabaseError",
    "HarlError",
    "InputError",
    "ScheduleLibrary",
    "Tuned",
    "UsageError",
    "compile",
    "tune",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(_room(name)), name)
    globals()[name] = found
    return found


def _room(name: str) -> str:
    return "harl_mlir.errors" if name.endswith("Error") else "harl_mlir.api"


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
