"""The sketches there are, in the order in which they are tried: the first that applies gives trial 0."""

from __future__ import annotations

from dataclasses import replace

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.nest.space import SKETCH as LOOP_NEST
from harl_mlir.space.nest.space import nest_space
from harl_mlir.space.plugged import plugged_spaces
from harl_mlir.space.sketch import Sketches
from harl_mlir.space.sketches import (
    chain,
    contraction,
    dots,
    elementwise,
    producers,
    reduction,
    rows,
    window,
)
from harl_mlir.space.sketches.threads import shared_spaces
from harl_mlir.space.space import Space
from harl_mlir.tasks.producers import producers_of
from harl_mlir.tasks.task import Task

SKETCHES: tuple[Sketches, ...] = (
    dots.spaces,
    contraction.spaces,
    elementwise.spaces,
    reduction.spaces,
    window.spaces,
)

NAMES = frozenset(
    {
        chain.NAME,
        *contraction.NAMES,
        elementwise.NAME,
        dots.NAME,
        reduction.NAME,
        rows.NAME,
        window.NAME,
        LOOP_NEST,
        "untuned",
    }
)
"""Names that no plug-in may have."""

_PADDED_PART = 8
"""Of the last cache, what is padded at a time by default has so small a part."""


def sketches_for(
    task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY, threads: int = 1
) -> tuple[Space, ...]:
    """The spaces of all sketches that apply to `task`, plug-ins' last; empty where it cannot be tuned.

    `threads` are what a kernel may run on, and share where that pays.
    """

    def ours(part: Task, parts: int = threads) -> tuple[Space, ...]:
        # Of the last cache each has its share: what one part leaves there, the next may push out.
        return of(part, replace(processor, l3_bytes=processor.l3_bytes // parts))

    def of(part: Task, processor: Processor) -> tuple[Space, ...]:
        if part.anchor_op.is_pad:
            return ()
        chained = chain.spaces(part, processor, ours)
        if chained:
            return chained
        if producers_of(part):
            return producers.spaces(part, lambda alone: of(alone, processor))
        # The other sketches would reduce a row once for each tile of what follows.
        sketches = (rows.spaces,) if rows.roles_of(part) is not None else SKETCHES
        return tuple(space for spaces in sketches for space in spaces(part, processor, accuracy))

    return (
        *shared_spaces(ours, task, threads, processor.l3_bytes / _PADDED_PART),
        *plugged_spaces(task, processor, accuracy, NAMES),
    )


def recorded_spaces(
    task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY, threads: int = 1
) -> tuple[Space, ...]:
    """All spaces that records of a task may be of: those of `sketches_for`, and the one that is walked."""

    def nests(part: Task, parts: int) -> tuple[Space, ...]:
        space = nest_space(part, processor, accuracy)
        return (space,) if space else ()

    return (*sketches_for(task, processor, accuracy, threads), *shared_spaces(nests, task, threads))
