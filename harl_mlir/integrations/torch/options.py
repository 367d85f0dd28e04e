"""What `torch.compile(..., options={...})` may say to the backend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harl_mlir.accuracy import ACCURACIES, Accuracy
from harl_mlir.codegen.openmp import check_threads
from harl_mlir.errors import UsageError
from harl_mlir.search.registry import check_agent
from harl_mlir.settings import DEFAULT_AGENT

_MANY_TRIALS = 1_000_000
_LONG_SECONDS = 86_400.0


@dataclass(frozen=True)
class Options:
    """Options of the backend; what is not given has the value below.

    Attributes:
        seconds, trials: budget of tuning for each graph. With neither (or 0 trials) nothing is measured:
            each task gets its fastest record in the database, else its default schedule.
        threads: how many a call runs on; more than one need as many cores and an OpenMP runtime.
        database: the file of measurements; None for the user's.
        agent: the search policy, see `harl-mlir tune --agent`.
        library: a schedule library to use instead: nothing is tuned or looked up.
        accuracy: see `harl_mlir.accuracy`; by default exp, tanh and erf are polynomials within 2.5 units
            in the last place, as those of torch itself are.
        pack: keep weights in the layout that the kernel reads, made again when a weight changes.
        cache: keep what was compiled on disk, and use it.
        limit: seconds that compiling a graph may take, besides the budget of tuning.
    """

    seconds: float | None = None
    trials: int | None = None
    threads: int = 1
    database: Path | None = None
    agent: str = DEFAULT_AGENT
    library: Path | None = None
    accuracy: Accuracy = "approximate"
    pack: bool = True
    cache: bool = True
    limit: float = 600.0

    @classmethod
    def of(cls, given: Mapping[str, object] | None) -> Options:
        """The options of a dictionary.

        Raises:
            UsageError: a name or a value that is none.
        """
        checked: dict[str, Any] = {}
        known = {field.name: field.type for field in fields(cls)}
        for name, value in (given or {}).items():
            if name not in known:
                raise UsageError(f"there is no option {name!r}; use one of {', '.join(known)}")
            checked[name] = _checked(name, value)
        return cls(**checked)

    @property
    def measures(self) -> bool:
        """Whether candidates are measured."""
        return self.trials != 0 and (self.trials is not None or self.seconds is not None)

    @property
    def most_trials(self) -> int:
        """Trials of the budget; a great number where only seconds are limited."""
        return _MANY_TRIALS if self.trials is None else self.trials

    @property
    def most_seconds(self) -> float:
        """Seconds of the budget; a day where only trials are limited."""
        return _LONG_SECONDS if self.seconds is None else self.seconds


def _checked(name: str, value: object) -> object:
    if name in ("database", "library"):
        if value is None or (isinstance(value, str | Path) and str(value)):
            return None if value is None else Path(value).absolute()
        raise UsageError(f"option {name} is {value!r}; give the path of a file")
    if name in ("pack", "cache"):
        if isinstance(value, bool):
            return value
        raise UsageError(f"option {name} is {value!r}; use True or False")
    if name in ("seconds", "limit"):
        if value is None and name == "seconds":
            return None
        if isinstance(value, int | float) and math.isfinite(value) and value > 0:
            return float(value)
        raise UsageError(f"option {name} is {value!r}; use a number of seconds above 0")
    if name == "trials":
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise UsageError(f"option trials is {value!r}; use a whole number, 0 or more")
    if name == "threads":
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise UsageError(f"option threads is {value!r}; use a whole number, 1 or more")
        try:
            check_threads(value)
        except UsageError as error:
            raise UsageError(error.message.replace("--threads", "option threads")) from error
        return value
    if name == "agent":
        check_agent(str(value))
        return value
    if value not in ACCURACIES:
        raise UsageError(f"option accuracy is {value!r}; use one of {', '.join(ACCURACIES)}")
    return value
