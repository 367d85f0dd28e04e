"""What callers give: a kernel or a library as text or as a file, and the shapes of arguments."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harl_mlir.errors import InputError, Place
from harl_mlir.files import MAX_INPUT_BYTES, read_mlir
from harl_mlir.tuner.job import Shapes

Source = str | os.PathLike[str]
"""MLIR text (a `str`), or the file that holds it (a `pathlib.Path`)."""

ArgumentShapes = Mapping[str, Sequence[int]]
"""Static shapes for arguments with dynamic dims, by the argument's name or number."""

_MOST_IN_A_DIM = 2**40


@dataclass(frozen=True)
class Text:
    """MLIR text and what it is called in messages: the file, or the word for what it is."""

    text: str
    name: str


def read_source(given: Source, what: str) -> Text:
    """The text that was given as it is or as a file; `what` it is, `kernel` or `library`.

    Raises:
        InputError: the file cannot be read, or the text is a file's name, too long, or no Unicode.
    """
    if isinstance(given, os.PathLike):
        path = Path(os.fspath(given))
        return Text(read_mlir(path), str(path))
    if not isinstance(given, str):
        raise InputError(
            f"a {what} is MLIR text or a pathlib.Path, not {type(given).__name__}; give str(...) of a module"
        )
    line = given.strip()
    if line and "{" not in line and len(line.splitlines()) == 1:
        raise InputError(
            f"a str is the text of a {what}, and this looks like a file's name; give pathlib.Path({line!r})"
        )
    _check(given, what)
    return Text(given, what)


def _check(text: str, what: str) -> None:
    place = Place(what)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InputError(
            "the text holds half a surrogate pair, which is no Unicode; remove it", place
        ) from None
    if size > MAX_INPUT_BYTES:
        raise InputError(
            f"the text has {size >> 20} MiB and at most {MAX_INPUT_BYTES >> 20} are read; "
            "move large constants into arguments",
            place,
        )
    if "\0" in text:
        raise InputError("the text holds a NUL; give MLIR text", place)


def shapes_of(given: ArgumentShapes | None) -> Shapes:
    """The shapes as the tuner has them.

    Raises:
        InputError: one is no shape.
    """
    if given is not None and not isinstance(given, Mapping):
        raise InputError(f"{given!r} is no mapping of shapes; give a dict such as {{'A': (512, 512)}}")
    found: list[tuple[str, tuple[int, ...]]] = []
    for name, shape in (given or {}).items():
        dims = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else ()
        if not dims or not all(isinstance(dim, int) and 1 <= dim <= _MOST_IN_A_DIM for dim in dims):
            raise InputError(f"{shape!r} is no shape of the argument {name}; give sizes such as (512, 512)")
        found.append((str(name), dims))
    return tuple(found)
