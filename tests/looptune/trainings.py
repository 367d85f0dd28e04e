"""Training on made-up records: nothing is measured."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from harl_mlir.looptune import checkpoint as checkpoints
from harl_mlir.looptune.checkpoint import Checkpoint
from harl_mlir.looptune.dataset import Dataset
from harl_mlir.looptune.estimate import Estimate
from harl_mlir.looptune.learner import LearnerSettings
from harl_mlir.looptune.training import Stretch, Training
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.space.nest.nest import LoopNest
from tests.looptune.landscapes import HERE, PEAK, Problem, matmul_problem, records

PROBLEMS = [matmul_problem(64, 96, 80), matmul_problem(48, 64, 100), matmul_problem(128, 32, 16)]
RECORDS = 200
"""Of each problem and stretch."""
STRETCH = Stretch(1.5, 10)
TINY = LearnerSettings(problems=2, tracks=4, minibatch=64)


@dataclass
class Planter:
    """Stands in for the collector: a stretch has the same records, however often it was begun.

    `interrupted` is called in the middle of each stretch, with its number.
    """

    database: Database
    directory: Path
    seed: int
    interrupted: Callable[[int], None] = lambda stretch: None
    peak: float = PEAK
    wanted: list[int] = field(default_factory=list)

    def run(
        self, seconds: float, wanted: Sequence[tuple[Problem, LoopNest]], told: Callable[[str], None]
    ) -> None:
        done = checkpoints.read(self.directory, self.seed).stretches
        assert seconds == STRETCH.measuring
        assert all(rules.is_legal(nest) for (_, rules), nest in wanted)
        self.wanted.append(len(wanted))
        for problem in PROBLEMS:
            all_of_it = [each for stretch in range(done + 1) for each in records(problem, RECORDS, stretch)]
            self.database.add_all(all_of_it[len(self.database.records(problem[0].key, HERE)) :])
            self.interrupted(done)


def train(
    directory: Path,
    stretches: int,
    seed: int = 0,
    told: Callable[[str], None] = lambda line: None,
    interrupted: Callable[[int], None] = lambda stretch: None,
    peak: float = PEAK,
) -> tuple[Checkpoint, Estimate, Planter]:
    """Train in a directory, with its database beside the checkpoint; `peak` as measured this time."""
    with Database(directory / "m.db") as database:
        planter = Planter(database, directory, seed, interrupted, peak)
        data = Dataset(database, HERE, this_processor(), peak)
        problems = [(problem, 1.0) for problem in PROBLEMS]
        training = Training(directory, data, planter, problems, seed, TINY)
        with patch("harl_mlir.looptune.training._SHOWN_ROUNDS", 5):
            return *training.run(stretches, STRETCH, told), planter


def train_and_die(directory: Path, when: str) -> None:
    """Train, but be killed in the second stretch: while it `collects`, or when it has nearly `learned`."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    train(
        directory,
        2,
        told=lambda line: die() if when == "learned" and line.startswith("product: 20 updates") else None,
        interrupted=lambda stretch: die() if when == "collects" and stretch == 1 else None,
    )


if __name__ == "__main__":
    train_and_die(Path(sys.argv[1]), sys.argv[2])
