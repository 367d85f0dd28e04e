"""From a word of the command line to its value."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from harl_mlir.errors import printable

Shape = tuple[str, tuple[int, ...]]
_MOST_IN_A_DIM = 2**40


def _converter(convert: Callable[[str], object], what: str) -> Callable[[str], object]:
    def checked(text: str) -> object:
        try:
            return convert(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{printable(text)}' is not {what}") from None

    return checked


def _parse_path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError(text)
    text.encode()  # a name that is no UTF-8 cannot be said in JSON, nor sent to a worker
    return Path(text)


def _parse_whole(text: str) -> int:
    if not text.isascii():  # Python takes the digits of any script
        raise ValueError(text)
    return int(text)


def _parse_number(text: str) -> float:
    if not text.isascii():
        raise ValueError(text)
    return float(text)


def _parse_shape(text: str) -> Shape:
    name, equals, dims = text.partition("=")
    shape = tuple(_parse_whole(dim) for dim in dims.split("x")) if dims else ()
    if not equals or not name or not shape or not 1 <= min(shape) <= max(shape) <= _MOST_IN_A_DIM:
        raise ValueError(text)
    return name, shape


def _parse_names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise ValueError(text)
    return names


def _parse_weights(text: str) -> Path | None:
    return None if text == "none" else _parse_path(text)


path = _converter(_parse_path, "a file name in UTF-8")
weights = _converter(_parse_weights, "a directory's name or none")
names = _converter(_parse_names, "a list of different names such as harl,random")
whole = _converter(_parse_whole, "a whole number")
number = _converter(_parse_number, "a number")
shape = _converter(_parse_shape, "a shape such as A=512x512, of sizes from 1 to 2**40")
