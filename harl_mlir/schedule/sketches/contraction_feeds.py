"""Computing what makes an operand of a contraction where that is read; see `space.sketches.producers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches.contraction_loops import Contracted
from harl_mlir.schedule.sketches.producers import fuse_inside

_INNER = "harl.inner"
_LOOP = "harl.contracted"


def feed_copy(builder: ScheduleBuilder, loop: Handle, feeds: Sequence[Handle]) -> Handle:
    """Have the loop of a copy compute what it copies: `feeds`, each before what it takes. Returns the copy.

    What is computed is vectorised.
    """
    inside = fuse_inside(builder, loop, feeds)
    builder.vectorize(builder.match(inside, "linalg.generic"))
    return builder.match(inside, "linalg.copy")


def feed_steps(
    builder: ScheduleBuilder,
    nest: Handle,
    feeds: Sequence[Handle],
    inner: Handle,
    contracted: Sequence[Contracted],
) -> tuple[Handle, Handle, list[Contracted]]:
    """Compute what `feeds` make at each step. Returns the nest, its innermost loops and the others again."""
    b = builder
    b.tag(inner, _INNER)
    for number, each in enumerate(contracted):
        for depth, loop in enumerate(each.loops):
            b.tag(loop, f"{_LOOP}{number}.{depth}")
        if each.rows is not None:
            b.tag(each.rows, f"{_LOOP}{number}.rows")
    nest = fuse_inside(b, nest, feeds)
    found = [
        replace(
            each,
            loops=[b.tagged(nest, f"{_LOOP}{number}.{depth}") for depth in range(len(each.loops))],
            rows=None if each.rows is None else b.tagged(nest, f"{_LOOP}{number}.rows"),
        )
        for number, each in enumerate(contracted)
    ]
    return nest, b.tagged(nest, _INNER), found
