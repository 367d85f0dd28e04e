"""What can be changed in a loop nest in one step. A move that does not apply gives None."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harl_mlir.space.nest.nest import Loop, LoopNest, Mark

FACTORS = (2, 4, 8, 16, 32)
"""By which loops are split."""


def split(nest: LoopNest, at: int, factor: int) -> LoopNest | None:
    """Loop `at` -> one of `factor` times the step around one as before."""
    loop = nest.loops[at]
    if loop.mark or loop.step * factor >= nest.extents[at]:
        return None
    outer = Loop(loop.dim, loop.step * factor)
    return replace(nest, loops=(*nest.loops[:at], outer, loop, *nest.loops[at + 1 :]))


def merge(nest: LoopNest, at: int) -> LoopNest | None:
    """Loop `at` and the one directly inside it, of the same dimension -> one loop."""
    if at + 1 >= len(nest.loops):
        return None
    outer, inner = nest.loops[at : at + 2]
    if outer.dim != inner.dim or outer.mark or inner.mark:
        return None
    return replace(nest, loops=(*nest.loops[:at], *nest.loops[at + 1 :]))


def swap(nest: LoopNest, at: int) -> LoopNest | None:
    """Loop `at` changes places with the one directly inside it, unless that is of the same dimension."""
    if not 0 <= at < len(nest.loops) - 1:
        return None
    outer, inner = nest.loops[at : at + 2]
    if outer.dim == inner.dim or outer.mark != inner.mark:
        return None
    return replace(nest, loops=(*nest.loops[:at], inner, outer, *nest.loops[at + 2 :]))


def mark(nest: LoopNest, at: int, how: Mark) -> LoopNest | None:
    """Loop `at`, the innermost without a mark, becomes a vector or is unrolled."""
    if at != len(nest.loops) - 1 - nest.marked or at < 0:
        return None
    loops = list(nest.loops)
    loops[at] = replace(loops[at], mark=how)
    return replace(nest, loops=tuple(loops))


def unmark(nest: LoopNest) -> LoopNest | None:
    """The outermost loop with a mark loses it."""
    if not nest.marked:
        return None
    at = len(nest.loops) - nest.marked
    loops = list(nest.loops)
    loops[at] = replace(loops[at], mark="")
    return replace(nest, loops=tuple(loops))


def all_moves(nest: LoopNest) -> Iterator[LoopNest]:
    """Every nest that one change makes, legal or not."""
    found: list[LoopNest | None] = [unmark(nest)]
    for at in range(len(nest.loops)):
        found += [split(nest, at, factor) for factor in FACTORS]
        found += [merge(nest, at), swap(nest, at), mark(nest, at, "v"), mark(nest, at, "u")]
    yield from (made for made in found if made is not None)
