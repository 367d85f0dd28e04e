"""How long a contraction's candidate takes to compile, told from its decisions alone.

What LLVM is given is what counts: each piece (main tiles, peeled rests) has a body of its own, which holds
for each unrolled step the loads of both operands and, where no loop shares them, the products row by row;
around it the tile of C is read and written, element by element where vectors lie across it. The weights
were fitted to the processor time of some 900 random candidates of the benchmark's cases on a Zen 5 core with
others at work, and lie half above the fit.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST_SECONDS = 1.0
"""A candidate that would take longer is no candidate."""

_FIXED = 90e-3
_PIECE = 8e-3
_LOAD = 0.7e-3
_ACCUMULATOR = 0.5e-3
_OWN_PRODUCT = 0.6e-3
_ELEMENT_ACROSS = 0.4e-3


def build_seconds(
    pieces: Iterable[tuple[int, int]], lanes: int, unroll: int, *, by_rows: bool, across: bool
) -> float:
    """Seconds to transform, lower and compile register tiles; `pieces` are their (rows, vector) sizes.

    `unroll` steps of the contracted loop stand in each; `by_rows` and `across` are those of the roles.
    """
    seconds = _FIXED
    for rows, vector in pieces:
        registers = -(-vector // lanes)
        seconds += _PIECE + _LOAD * (rows + registers) * unroll + _ACCUMULATOR * rows * registers
        seconds += (
            _OWN_PRODUCT * rows * registers * unroll * by_rows + _ELEMENT_ACROSS * rows * vector * across
        )
    return seconds


def parts(extent: int, step: int) -> list[int]:
    """The sizes of steps that a loop is cut into: whole ones, if there are any, and what is left."""
    sizes = [step] if step <= extent else []
    return [*sizes, extent % step] if extent % step else sizes
