"""The recorded spaces that come with the package."""

from __future__ import annotations

from pathlib import Path

from harl_mlir.errors import InputError

_DIRECTORY = Path(__file__).parent / "spaces"
SUFFIX = ".npz"


def shipped() -> tuple[Path, ...]:
    """Every recorded space of the package, by name."""
    return tuple(sorted(_DIRECTORY.glob(f"*{SUFFIX}")))


def find(named: str) -> Path:
    """The file of a recorded space: a path, or the name of a shipped one.

    Raises:
        InputError: there is neither.
    """
    path = Path(named)
    if path.is_file():
        return path
    for known in shipped():
        if known.stem == named:
            return known
    names = ", ".join(known.stem for known in shipped()) or "none is shipped"
    raise InputError(f"there is no recorded space {named}; name a file or one of the package's ({names})")
