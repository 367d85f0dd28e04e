"""Many tracks walking through a space at once, rewarded by what the cost model thinks of each step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.cost_model import CostModel, Scores
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice, State, States
from harl_mlir.search.move_policy import MovePolicy
from harl_mlir.search.observations import Observer
from harl_mlir.search.settings import Settings
from harl_mlir.search.steps import Steps, joined


@dataclass(frozen=True)
class Walk:
    """Every state visited with its score, in the order visited, and how the walk went.

    `updates` is how often the policy learned, `dropped` how many tracks were dropped before the end,
    `reached` the mean score where the others ended.
    """

    scores: dict[State, float]
    updates: int
    dropped: int
    reached: float


@dataclass(frozen=True)
class _Tracks:
    """Where all tracks are: states with scores, legal actions and what the policy sees, one a row."""

    states: States
    scores: Scores
    masks: NDArray[np.bool_]
    observations: NDArray[np.float32]

    def keep(self, rows: NDArray[np.int64]) -> _Tracks:
        """Some of the tracks."""
        return _Tracks(self.states[rows], self.scores[rows], self.masks[rows], self.observations[rows])


class Walker:
    """Modifies candidates of one space side by side, one decision of each at a time.

    Without a policy the moves are uniform among the legal ones.
    """

    def __init__(
        self,
        lattice: Lattice,
        features: SpaceFeatures,
        observer: Observer,
        model: CostModel,
        policy: MovePolicy | None,
        settings: Settings,
        rng: np.random.Generator,
    ) -> None:
        self._lattice = lattice
        self._features = features
        self._observer = observer
        self._model = model
        self._policy = policy
        self._settings = settings
        self._rng = rng

    def walk(self, starts: list[State]) -> Walk:
        """Walk a track from each of the legal `starts` (at least one), training the policy on the way.

        A step from s to s' earns log(C(s') / C(s)) of the model's score C, bounded by the settings: not the
        relative gain (C(s') - C(s)) / C(s), by which a step down and up again would earn something. There
        is no fixed length: every `stop_every` steps the `drop_share` of the tracks with the lowest mean
        advantage since the last time are dropped, and where fewer than `least_tracks` are left, the walk
        ends.
        """
        settings = self._settings
        tracks = self._at(self._lattice.rows(starts))
        visited: dict[State, float] = {}
        _visit(visited, tracks)
        if not settings.adaptive_stopping:
            tracks, _, updates = self._stretch(tracks, visited, settings.episode_length)
            return Walk(visited, updates, 0, float(tracks.scores.mean()))
        updates = dropped = 0
        while True:
            tracks, advantages, more = self._stretch(tracks, visited, settings.stop_every)
            updates += more
            kept = _kept(advantages, settings.drop_share)
            dropped += len(advantages) - len(kept)
            if len(kept) < settings.least_tracks:
                return Walk(visited, updates, dropped, float(tracks.scores.mean()))
            tracks = tracks.keep(kept)

    def _stretch(
        self, tracks: _Tracks, visited: dict[State, float], length: int
    ) -> tuple[_Tracks, NDArray[np.float32], int]:
        """Some steps of all tracks: where they end, their mean advantages, and the policy's updates."""
        window: list[Steps] = []
        advantages = np.zeros(len(tracks.states), dtype=np.float32)
        updates = 0
        for number in range(1, length + 1):
            step, tracks = self._step(tracks)
            _visit(visited, tracks)
            window.append(step)
            if number % self._settings.train_every == 0 or number == length:
                advantages += self._learn(window)
                updates += self._policy is not None
                window.clear()
        return tracks, advantages / np.float32(length), updates

    def _learn(self, window: list[Steps]) -> NDArray[np.float32]:
        """Train the policy; the sum of each track's advantages. Without a critic a reward is one."""
        steps = joined(window)
        advantages = steps.rewards if self._policy is None else self._policy.train(steps)
        of_tracks: NDArray[np.float32] = advantages.reshape(len(window), -1).sum(axis=0)
        return of_tracks

    def _step(self, tracks: _Tracks) -> tuple[Steps, _Tracks]:
        masks, observations = tracks.masks, tracks.observations
        if self._policy is None:
            actions = np.where(masks, self._rng.random(masks.shape), -1.0).argmax(axis=1)
            log_probabilities = np.zeros(len(actions), dtype=np.float32)
        else:
            actions, log_probabilities = self._policy.act(observations, masks)
        moved = self._at(self._lattice.move(tracks.states, actions))
        bound = self._settings.reward_clip
        rewards = np.clip(np.log(moved.scores / tracks.scores), -bound, bound)
        steps = Steps(observations, masks, actions, log_probabilities, rewards, moved.observations)
        return steps, moved

    def _at(self, states: States) -> _Tracks:
        rows, masks = self._features.model_rows(states), self._lattice.mask(states)
        observations = self._observer.rows(states, masks, rows[:, : self._features.nest_width])
        return _Tracks(states, self._model.scores(rows), masks, observations)


def _kept(advantages: NDArray[np.float32], drop_share: float) -> NDArray[np.int64]:
    """Numbers of the tracks that go on, in their order: all but the lowest, at least one of which goes."""
    dropped = max(1, int(drop_share * len(advantages)))
    return np.sort(np.argsort(advantages, kind="stable")[dropped:])


def _visit(visited: dict[State, float], tracks: _Tracks) -> None:
    visited.update(zip(map(tuple, tracks.states.tolist()), tracks.scores.tolist(), strict=True))
