"""Every exception this package raises on purpose.

Anything else that escapes is a bug; the command line shows it as such.
"""

from __future__ import annotations

from dataclasses import dataclass

_MOST_SHOWN = 100


@dataclass(frozen=True)
class Place:
    """Where in the user's input something was found: `kernel.mlir:12:8`."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


def printable(text: str) -> str:
    """Text of the user's in one line and not too long, to stand in a sentence."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:_MOST_SHOWN])
    return shown + ("..." if len(text) > _MOST_SHOWN else "")


class HarlError(Exception):
    """Base of every error meant for the user: one sentence with what to do, and where."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class InputError(HarlError):
    """The input was refused; nothing was changed (exit code 1)."""


class NothingToTuneError(InputError):
    """The input holds no op that can be tuned."""


class UsageError(HarlError):
    """The command line itself is wrong (exit code 2)."""


class DatabaseError(HarlError):
    """The measurement database cannot be opened or written (exit code 1)."""
