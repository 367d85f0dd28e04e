"""Sliding-window UCB: a bandit for arms whose rewards drift (Garivier and Moulines, 2008)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """An arm and why it was chosen: `mean` over the window plus `bonus` (infinite if unplayed)."""

    arm: int
    mean: float
    bonus: float

    @property
    def value(self) -> float:
        """What the arms are compared by."""
        return self.mean + self.bonus

    def __str__(self) -> str:
        return "not played yet" if math.isinf(self.bonus) else f"{self.mean:.2f}+{self.bonus:.2f}"


class SlidingWindowUCB:
    """Chooses among `arms` arms by the mean reward of the last `window` plays plus a bonus.

    Rewards are expected in [0, 1]. An arm not played within the window comes first.
    """

    def __init__(self, arms: int, window: int, exploration: float) -> None:
        self._arms = arms
        self._exploration = exploration
        self._window: deque[tuple[int, float]] = deque(maxlen=window)

    def plays(self, arm: int) -> int:
        """How often the arm was played within the window."""
        return sum(1 for played, _ in self._window if played == arm)

    def choices(self) -> list[Choice]:
        """Every arm with its mean and bonus."""
        counts, sums = [0] * self._arms, [0.0] * self._arms
        for arm, reward in self._window:
            counts[arm] += 1
            sums[arm] += reward
        return [
            Choice(a, sums[a] / n, self._bonus(n)) if (n := counts[a]) else Choice(a, 0.0, math.inf)
            for a in range(self._arms)
        ]

    def choose(self, available: Sequence[int], hoped: Mapping[int, float] | None = None) -> Choice:
        """The best of the `available` arms (at least one); the first among equals.

        An arm that was not played counts as played once with the reward that is `hoped` for, if one is.
        """
        choices = self.choices()
        bonus = self._bonus(1)
        for arm, reward in (hoped or {}).items():
            if math.isinf(choices[arm].bonus):
                choices[arm] = Choice(arm, reward, bonus)
        return max((choices[arm] for arm in available), key=lambda choice: choice.value)

    def _bonus(self, plays: int) -> float:
        """What an arm gets on top for having been played so seldom."""
        return self._exploration * math.sqrt(math.log(max(1, len(self._window))) / plays)

    def update(self, arm: int, reward: float) -> None:
        """Remember what playing `arm` gave."""
        self._window.append((arm, reward))
