"""Who measures candidates: the local worker, or a plug-in's runner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from harl_mlir.errors import UsageError
from harl_mlir.measure.bench import Bench
from harl_mlir.plugins import Plugin, PluginError, described, plugins, warn
from harl_mlir.processor import Processor

if TYPE_CHECKING:  # checking a runner's name needs nothing that has to be installed
    from harl_mlir.measure.measurement import Measurement
    from harl_mlir.measure.pool import Pool
    from harl_mlir.space.candidate import Candidate
    from harl_mlir.tasks.task import Task

LOCAL = "local"
"""The runner that measures by the worker, on this processor."""

_Result = TypeVar("_Result")


class Runner(Bench, Protocol):
    """Measures schedules of tasks, here or elsewhere.

    It has to build each schedule by the one lowering (`Pool.compile` gives an object), to compare the results
    with the reference before a time counts, and to bound what a bad schedule can do. A candidate that fails
    is a `Measurement` with a `Failure`; an exception ends the run, which keeps the best so far.

    Attributes:
        processor: what it measures on. Spaces are offered for it, and records and the library name it.
    """

    processor: Processor

    def close(self) -> None:
        """Nothing more will be asked."""
        ...


RunnerMaker = Callable[["Pool"], Runner]
"""What an entry point of the group `harl_mlir.runners` names: makes a runner, which may use the local worker.

The worker is the run's: it is ended by it, and used from this thread alone. Its `accuracy` is the run's."""


def runners() -> tuple[str, ...]:
    """The names of the runners: the local one, then those of plug-ins."""
    return (LOCAL, *plugins("runner", (LOCAL,)))


def check_runner(name: str) -> None:
    """Refuse a runner that cannot be made.

    Raises:
        UsageError: there is none of this name.
        PluginError: it cannot be loaded.
    """
    if name != LOCAL:
        _plugin(name).load()


def _plugin(name: str) -> Plugin:
    found = plugins("runner", (LOCAL,)).get(name)
    if found is None:
        raise UsageError(
            f"there is no runner named {name!r}; use --runner with one of {', '.join(runners())}"
        )
    return found


class PluggedRunner:
    """The runner that a plug-in makes.

    Raises:
        PluginError: it cannot be made; every method raises it too, where the plug-in fails or answers with
            what is no measurement.
    """

    def __init__(self, name: str, pool: Pool) -> None:
        from harl_mlir.measure.measurement import Measurement

        self._plugin = _plugin(name)
        self._kind = Measurement
        make = self._plugin.load()
        if not callable(make):
            raise self._plugin.error(f"is no function that makes a runner but {type(make).__name__}")
        self._runner: Runner = self._asked(lambda: make(pool))
        self.processor: Processor = self._asked(lambda: self._runner.processor)
        if not isinstance(self.processor, Processor):
            raise self._plugin.error("does not tell its processor")

    def measure(
        self,
        task: Task,
        schedule: Candidate | str | None,
        *,
        best: float | None = None,
        cap: float | None = None,
        script: str | None = None,
    ) -> Measurement:
        """See `Runner.measure`."""
        runner = self._runner
        (answer,) = self._checked(
            1, lambda: [runner.measure(task, schedule, best=best, cap=cap, script=script)]
        )
        return answer

    def retime(
        self, task: Task, schedules: Sequence[Candidate | str | None], *, script: str | None = None
    ) -> list[Measurement]:
        """See `Runner.retime`."""
        return self._checked(len(schedules), lambda: self._runner.retime(task, schedules, script=script))

    def close(self) -> None:
        """End the plug-in's runner. That it fails to is a warning: all is measured."""
        try:
            self._asked(self._runner.close)
        except PluginError as error:
            warn(error)

    def _checked(self, count: int, ask: Callable[[], Sequence[Measurement]]) -> list[Measurement]:
        answers = self._asked(lambda: list(ask()))
        if len(answers) != count or not all(isinstance(answer, self._kind) for answer in answers):
            raise self._plugin.error(f"answered with {answers!r:.100} instead of {count} Measurement(s)")
        return answers

    def _asked(self, ask: Callable[[], _Result]) -> _Result:
        try:
            return ask()
        except PluginError:
            raise
        except Exception as error:
            raise self._plugin.error(f"failed ({described(error)})") from error
