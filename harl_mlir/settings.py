"""How to search: the settings of a run and their defaults. Needs nothing that has to be installed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from harl_mlir.accuracy import ACCURACIES, DEFAULT_ACCURACY, Accuracy
from harl_mlir.codegen.openmp import check_threads
from harl_mlir.errors import UsageError
from harl_mlir.measure.runners import LOCAL, check_runner
from harl_mlir.search.registry import AGENTS, LOOPTUNE, LOOPTUNE_WEIGHTS, SHIPPED_WEIGHTS, check_agent

DEFAULT_AGENT = AGENTS[0]
DEFAULT_TRIALS = 200
DEFAULT_SECONDS = 60.0
_LARGEST_SEED = 2**63 - 1
"""What a database holds."""


def check_accuracy(accuracy: str) -> None:
    """Refuse an accuracy that there is not. Raises UsageError."""
    if accuracy not in ACCURACIES:
        raise UsageError(
            f"there is no accuracy {accuracy!r}; use --accuracy with one of {', '.join(ACCURACIES)}"
        )


@dataclass(frozen=True)
class Settings:
    """How to search.

    Attributes:
        agent: a search policy's name (see `harl_mlir.search.registry`).
        trials: at most this many candidates are measured, over all tasks. With 0 nothing is timed: every
            task gets the default of its first space, if that transforms and lowers.
        seconds: budget of wall time, finalists included; positive. Trial 0
            of the first task is measured even where the time is over.
        threads: threads a kernel runs on; more than one need as many cores and an OpenMP runtime.
        seed: the same seed and the same measurements give the same proposals.
        weights: directory of trained weights that the agent `harl` starts from (see
            `harl_mlir.search.pretrained`), None for none; or those that `looptune` walks by. That of the
            package for `harl` stands for that of the package for `looptune` too.
        accuracy: what schedules may do to floating-point arithmetic.
        check: with 0 trials, call every schedule once and compare its results with the reference; what is
            measured is always checked.
        runner: who measures: `local`, or a plug-in's (see `harl_mlir.measure.runners`).

    Raises:
        UsageError: a value out of range.
        PluginError: the agent or the runner is a plug-in's, which cannot be loaded.
    """

    agent: str = DEFAULT_AGENT
    trials: int = DEFAULT_TRIALS
    seconds: float = DEFAULT_SECONDS
    threads: int = 1
    seed: int = 0
    weights: Path | None = SHIPPED_WEIGHTS
    accuracy: Accuracy = DEFAULT_ACCURACY
    check: bool = False
    runner: str = LOCAL

    @property
    def walks_by(self) -> Path | None:
        """The directory of the weights that the agent walks by; None where it does not walk."""
        if self.agent != LOOPTUNE:
            return None
        return LOOPTUNE_WEIGHTS if self.weights == SHIPPED_WEIGHTS else self.weights

    def __post_init__(self) -> None:
        check_agent(self.agent)
        check_runner(self.runner)
        if self.runner != LOCAL and self.trials == 0:
            raise UsageError(
                f"with 0 trials the runner {self.runner} has nothing to measure; use more --trials"
            )
        if self.trials < 0:
            raise UsageError(f"a budget of {self.trials} trials cannot be spent; use --trials 0 or more")
        if self.agent == LOOPTUNE and self.weights is None:
            raise UsageError("looptune cannot walk without weights; use --weights with a directory, or not")
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise UsageError(f"a budget of {self.seconds:g} seconds cannot be kept; use --seconds above 0")
        check_threads(self.threads)
        if self.runner != LOCAL and self.threads > 1:
            raise UsageError(f"the runner {self.runner} measures on one thread; use --threads 1")
        if self.seed < 0:
            raise UsageError(f"the seed {self.seed} is negative; use --seed 0 or more")
        if self.seed > _LARGEST_SEED:
            raise UsageError(f"the seed {self.seed} is beyond {_LARGEST_SEED}; use --seed with a smaller one")
        check_accuracy(self.accuracy)
