"""From the text of a kernel file to the module that is tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.frontend.copies import write_copies
from harl_mlir.frontend.raising import raise_function
from harl_mlir.frontend.read import read_module
from harl_mlir.frontend.row_forms import normalise_rows
from harl_mlir.frontend.shapes import chosen_functions, specialise
from harl_mlir.frontend.subpixel import skip_inserted_zeros
from harl_mlir.mlir import ir
from harl_mlir.tasks.analysis import Skipped


@dataclass(frozen=True)
class Prepared:
    """A module with static shapes on tensors, and the linalg ops that stay on memrefs.

    Tasks are read from it and schedules are applied to it. `function` is the only function to tune
    (None for all); the others are left as they were.
    """

    module: ir.Module
    function: str | None
    skipped: tuple[Skipped, ...]


def prepare(
    text: str,
    file: str,
    function: str | None = None,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    *,
    skip_zeros: bool = False,
    plain_rows: bool = False,
) -> Prepared:
    """Read, make static, and raise to tensors, in the current context.

    With `skip_zeros`, convolutions of images with zeros inserted are rewritten too (see
    `zero_insertion`), and with `plain_rows` row operations and copies (see `row_forms`, `copies`): what
    our own schedules are made for. The same arguments give the same module, its ops in the same order.

    Raises:
        InputError: see `read_module` and `specialise`.
    """
    module = read_module(text, file)
    specialise(module, function, shapes or {}, text, file)
    skipped: list[Skipped] = []
    for chosen in chosen_functions(module, function, file):
        skipped += raise_function(chosen, file)
        if skip_zeros:
            skip_inserted_zeros(chosen)
        if plain_rows:
            write_copies(chosen)
            normalise_rows(chosen)
    return Prepared(module, None if function is None else function.removeprefix("@"), tuple(skipped))
