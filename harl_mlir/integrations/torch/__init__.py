"""`torch.compile(model, backend="harl_mlir")`.

The backend is found by torch under its name (entry point of the group `torch_dynamo_backends`), or given as
`backend=backend`. What is imported here only when asked for imports torch, which one of the processes that
compile does without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harl_mlir.integrations.torch.dynamo import FallbackWarning, backend
    from harl_mlir.integrations.torch.options import Options

__all__ = ["FallbackWarning", "Options", "backend"]

_MODULES = {"FallbackWarning": "dynamo", "backend": "dynamo", "Options": "options"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
