"""Refusals that several subcommands share."""

from __future__ import annotations

from pathlib import Path

from harl_mlir.errors import InputError, Place


def nothing_matched(kernel: Path, library: Path) -> InputError:
    """The library holds no schedule for anything in the kernel."""
    return InputError(
        f"no linalg op of it matches a schedule of {library}; tune this kernel to get one that does",
        Place(str(kernel)),
    )
