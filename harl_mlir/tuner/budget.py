"""What of the budget is left."""

from __future__ import annotations

import time


class Budget:
    """Trials and seconds, whichever ends first.

    Args:
        trials: candidates that may be measured.
        seconds: wall time, from `elapsed` 0 on.
        elapsed: wall time used up before the budget is made.
    """

    def __init__(self, trials: int, seconds: float, elapsed: float) -> None:
        self.trials_left = trials
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds - elapsed
        self._reserve = 0.0

    def reserve(self, seconds: float) -> None:
        """Keep `seconds` for the finalists: the search has to end so much earlier."""
        self._reserve = seconds

    @property
    def search_is_over(self) -> bool:
        """Whether no further candidate may be measured."""
        return self.trials_left <= 0 or self.seconds_left <= self._reserve

    @property
    def seconds_left(self) -> float:
        """Wall time left, finalists included; negative once overdrawn."""
        return self._deadline - time.monotonic()

    def spend(self) -> None:
        """Count one trial."""
        self.trials_left -= 1
