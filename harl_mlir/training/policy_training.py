"""Trains the policy on many tasks against the trained cost model: nothing is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xgboost

from harl_mlir.search.cost_model import CostModel
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.search.move_policy import MovePolicy
from harl_mlir.search.observations import FEATURES, GLOBALS, Observer
from harl_mlir.search.sampling import fresh_states
from harl_mlir.search.settings import QUICK
from harl_mlir.search.walk import Walker
from harl_mlir.training.dataset import TaskRecords

WALKS = 600
SETTINGS = replace(
    QUICK,
    actor_learning_rate=5e-4,
    critic_learning_rate=5e-4,
    entropy_weight=0.02,
    adaptive_stopping=False,
    episode_length=12,
)
_LEAST_CANDIDATES = 8
_REPORT_EVERY = 50


@dataclass(frozen=True, eq=False)
class _Ground:
    """A space to walk in, scored by the cost model."""

    lattice: Lattice
    features: SpaceFeatures
    observer: Observer
    model: CostModel

    def walk(self, policy: MovePolicy | None, rng: np.random.Generator) -> float:
        """Walk from random candidates; the mean score where the tracks end."""
        pool = fresh_states(self.lattice, rng, (), SETTINGS.tracks)
        starts = [pool[i % len(pool)] for i in range(SETTINGS.tracks)]
        walker = Walker(self.lattice, self.features, self.observer, self.model, policy, SETTINGS, rng)
        return walker.walk(starts).reached


@dataclass(frozen=True)
class Reached:
    """Mean score where tracks end: of the trained policy, a new one, random moves."""

    trained: float
    untrained: float
    random: float


def train_policy(
    tasks: Sequence[TaskRecords],
    booster: xgboost.Booster,
    seed: int,
    walks: int = WALKS,
    tell: Callable[[str], None] = lambda _: None,
) -> MovePolicy:
    """A policy that has walked through the spaces of `tasks`, a space a walk, drawn by task."""
    rng = np.random.default_rng(seed)
    policy = MovePolicy(GLOBALS, FEATURES, SETTINGS, seed)
    grounds = _grounds(tasks, booster, seed)
    gained: list[float] = []
    for walk in range(1, walks + 1):
        of_task = grounds[int(rng.integers(len(grounds)))]
        gained.append(of_task[int(rng.integers(len(of_task)))].walk(policy, rng))
        if walk % _REPORT_EVERY == 0:
            tell(f"policy: {walk} of {walks} walks, tracks reach {np.mean(gained[-_REPORT_EVERY:]):.3f}")
    return policy


def compare_policies(
    tasks: Sequence[TaskRecords], booster: xgboost.Booster, policy: MovePolicy, seed: int
) -> Reached:
    """What walks of a policy reach on `tasks`, beside an untrained one's and random ones.

    Every walk starts from the same weights and the same candidates.
    """
    reached: list[tuple[float, ...]] = []
    for of_task in _grounds(tasks, booster, seed):
        for ground in of_task:
            trained, untrained = (MovePolicy(GLOBALS, FEATURES, SETTINGS, seed) for _ in range(2))
            trained.set_weights(policy.weights())
            walkers = (trained, untrained, None)
            reached.append(tuple(ground.walk(each, np.random.default_rng(seed)) for each in walkers))
    return Reached(*np.mean(reached, axis=0).tolist())


def _grounds(tasks: Sequence[TaskRecords], booster: xgboost.Booster, seed: int) -> list[list[_Ground]]:
    """The spaces of each task that are large enough to walk in; tasks without one are left out."""
    grounds = [
        [
            _Ground(
                Lattice(space),
                SpaceFeatures(task.task, space),
                Observer(task.task, space),
                CostModel(SETTINGS, seed, booster),
            )
            for space in task.spaces
            if space.size() >= _LEAST_CANDIDATES
        ]
        for task in tasks
    ]
    return [of_task for of_task in grounds if of_task]
