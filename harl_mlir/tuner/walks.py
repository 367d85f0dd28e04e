"""Walks over the loop nests of tasks, before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harl_mlir.accuracy import Accuracy
from harl_mlir.interrupts import heed
from harl_mlir.looptune.agent import HANDFUL
from harl_mlir.processor import Processor
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import nest_space, rules_for
from harl_mlir.space.sketches.cuts import SHARED, cuts_of, shared_as
from harl_mlir.tasks.part import part_of
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.state import TaskState

if TYPE_CHECKING:  # only a run that walks needs what walking needs
    from harl_mlir.looptune.walk import Walk


@dataclass(frozen=True)
class Walker:
    """Walks over the nests of tasks, without measuring any.

    Attributes:
        walk: the walk over the nests of a task.
        peak_gflops: what its estimates are shares of, the FMA peak of the core that was trained on.
    """

    walk: Callable[[Task, NestRules], Walk]
    peak_gflops: float


def load_walker(directory: Path, seed: int) -> Walker:
    """The walker by the weights in a directory.

    Raises:
        InputError: they are missing, damaged, or of another version.
    """
    from harl_mlir.looptune.walk import walk
    from harl_mlir.looptune.weights import load

    weights = load(directory)
    return Walker(lambda task, rules: walk(task, rules, weights, seed=seed), weights.peak_gflops)


def walk_tasks(states: Sequence[TaskState], walker: Walker, processor: Processor, accuracy: Accuracy) -> None:
    """Walk each task that has loop nests to walk over.

    Its spaces are then that of its nests, with what the walk found best as the default and the next best
    listed, and its first sketch's. Other tasks keep theirs. Where threads share the default of the first
    sketch, they share so here, and the nests are those of a part.
    """
    for state in states:
        heed()
        first = state.spaces[0].default() if state.spaces else None
        cuts = cuts_of(first) if first else {}
        part = part_of(state.task, cuts) if cuts else state.task
        rules = rules_for(part, processor, accuracy) if part else None
        if part is None or rules is None:
            continue
        walk = walker.walk(part, rules)
        best, *others = walk.best[:HANDFUL]
        space = nest_space(part, processor, accuracy, best, others)
        assert space is not None
        if first and SHARED in first.assignment:
            space = shared_as(space, first[SHARED])
        state.walk, state.walk_peak_gflops = walk, walker.peak_gflops
        state.spaces = (space, *state.spaces[:1])
