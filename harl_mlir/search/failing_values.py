"""Finding values of decisions that make every candidate fail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.lattice import States


def working_values(
    sizes: NDArray[np.int64], states: States, succeeded: NDArray[np.bool_], least: int, doubt: float
) -> list[NDArray[np.bool_]]:
    """Which values of each decision are worth trying, given all trials of a space.

    A value is dropped if all of its trials failed, at least `least` of them, and so many failures
    would have a chance below `doubt` were it no worse than the other values of its decision. The
    most certain value goes first, and a failure it explains speaks against no other value.
    """
    allowed = [np.ones(size, dtype=bool) for size in sizes.tolist()]
    open_trials = np.ones(len(states), dtype=bool)
    while True:
        found = _most_certain(allowed, states[open_trials], succeeded[open_trials], least)
        if found is None or found[0] >= doubt:
            return allowed
        _, decision, value = found
        allowed[decision][value] = False
        open_trials &= states[:, decision] != value


def _most_certain(
    allowed: list[NDArray[np.bool_]], states: States, succeeded: NDArray[np.bool_], least: int
) -> tuple[float, int, int] | None:
    """The value least likely to fail always by chance: (chance, decision, value)."""
    best: tuple[float, int, int] | None = None
    failed_in_all = int((~succeeded).sum())
    for decision, usable in enumerate(allowed):
        column = states[:, decision]
        trials = np.bincount(column, minlength=len(usable))
        works = np.bincount(column[succeeded], minlength=len(usable))
        for value in np.flatnonzero(usable & (works == 0) & (trials >= least)).tolist():
            own = int(trials[value])
            others = len(states) - own
            if others == failed_in_all - own:
                continue
            # Laplace's estimate: few other trials are no proof that the others work.
            rate = (failed_in_all - own + 1) / (others + 2)
            entry = (rate**own, decision, value)
            best = entry if best is None else min(best, entry)
    return best
