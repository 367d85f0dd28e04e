"""From the text of a kernel file to the module that is tuned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.accuracy import Accuracy
from harl_mlir.frontend.copies import write_copies
from harl_mlir.frontend.permutations import fold_permutations
from harl_mlir.frontend.raising import raise_function
from harl_mlir.frontend.read import read_module
from harl_mlir.frontend.row_forms import normalise_rows
from harl_mlir.frontend.shapes import chosen_functions, specialise
from harl_mlir.frontend.subpixel import skip_inserted_zeros
from harl_mlir.frontend.wide_sums import widen_sums
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
    accuracy: Accuracy | None = None,
) -> Prepared:
    """Read, make static, and raise to tensors, in the current context.

    With `accuracy`, what has a spelling that our own schedules are made for is brought into it: row
    operations (see `row_forms`), padding and concatenation (see `copies`), permuted operands of
    contractions (see `permutations`) and, but under `strict`, convolutions of images with zeros inserted
    (see `zero_insertion`) and sums of f16 and bf16 (see `wide_sums`). The same arguments give
    the same module, its ops in the same order.

    Raises:
        InputError: see `read_module` and `specialise`.
    """
    module = read_module(text, file)
    specialise(module, function, shapes or {}, text, file)
    skipped: list[Skipped] = []
    for chosen in chosen_functions(module, function, file):
        skipped += raise_function(chosen, file)
        if accuracy is not None:
            normalise(chosen, accuracy)
    return Prepared(module, None if function is None else function.removeprefix("@"), tuple(skipped))


def normalise(function: ir.OpView, accuracy: Accuracy) -> None:
    """Bring a function into the spelling that schedules made under `accuracy` are for."""
    if accuracy != "strict":
        skip_inserted_zeros(function)
        widen_sums(function)
    fold_permutations(function)
    write_copies(function)
    normalise_rows(function, strict=accuracy == "strict")
