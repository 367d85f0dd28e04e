"""Arguments of a call that are of another type than they should be, refused in a sentence."""

from __future__ import annotations

import operator
import os
from numbers import Real
from pathlib import Path
from typing import SupportsIndex

from harl_mlir.errors import UsageError

_MOST_THREADS = 1024


def whole(name: str, value: object) -> int:
    """A whole number, Python's or NumPy's; its range is checked later. Raises UsageError for others."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise UsageError(f"{name} must be a whole number, not {value!r}; give one such as 1")
    return operator.index(value)


def thread_count(value: object) -> int:
    """A number of threads. Raises UsageError for what is none, or far too many."""
    threads = whole("threads", value)
    if threads > _MOST_THREADS:
        raise UsageError(f"threads={threads} is beyond {_MOST_THREADS}; give a smaller number")
    return threads


def seconds_of(value: object) -> float:
    """A number of seconds. Raises UsageError for what is no number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise UsageError(f"seconds must be a number, not {value!r}; give one such as 60")
    return float(value)


def name_of(argument: str, value: object) -> str | None:
    """A name, or None. Raises UsageError for others."""
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"{argument} must be a name, not {value!r}; give a str")


def path_of(argument: str, value: object) -> Path:
    """A file's or directory's path. Raises UsageError for others."""
    if isinstance(value, str | os.PathLike):
        return Path(value)
    raise UsageError(f"{argument} must be a path, not {value!r}; give a str or a pathlib.Path")


def callable_or_none(argument: str, value: object) -> None:
    """Raises UsageError for what is neither None nor can be called."""
    if value is not None and not callable(value):
        raise UsageError(f"{argument} must be a function, not {value!r}; give one, or None")
