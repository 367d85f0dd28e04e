"""A task with known times: what the tuning loop is tried on, without measuring anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.records.database import Database
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.progress import Event
from harl_mlir.tuner.recorder import Recorder
from harl_mlir.tuner.search import Search
from harl_mlir.tuner.state import TaskState
from tests.small_task import HERE, matmul_task


def tile_space(sketch: str = "tiled", count: int = 32, default: int = 0) -> Space:
    return Space(sketch, 1, (Decision("tile", tuple(range(count)), default),))


@dataclass
class RecordedBench:
    """Answers from a function of the candidate's values; counts what it was asked."""

    seconds: Callable[[Mapping[str, Value]], float | None]
    untuned: float | None = 1.0
    retimed: Callable[[Candidate | None], float] | None = None
    asked: list[Candidate | None] = field(default_factory=list)
    finals: list[list[Candidate | None]] = field(default_factory=list)
    interrupt_after: int | None = None

    def measure(
        self,
        task: Task,
        schedule: Candidate | str | None,
        *,
        best: float | None = None,
        cap: float | None = None,
        script: str | None = None,
    ) -> Measurement:
        assert not isinstance(schedule, str)
        self.asked.append(schedule)
        if self.interrupt_after is not None and len(self.asked) > self.interrupt_after:
            raise KeyboardInterrupt
        return self._time(schedule)

    def retime(
        self, task: Task, schedules: Sequence[Candidate | str | None], *, script: str | None = None
    ) -> list[Measurement]:
        candidates = [s for s in schedules if not isinstance(s, str)]
        self.finals.append(candidates)
        if self.retimed is not None:
            return [Measurement(seconds=self.retimed(c)) for c in candidates]
        return [self._time(c) for c in candidates]

    def _time(self, candidate: Candidate | None) -> Measurement:
        seconds = self.untuned if candidate is None else self.seconds(candidate.assignment)
        if seconds is None:
            return failed("too_slow" if candidate is None else "crash", "planted")
        return Measurement(seconds=seconds, best=seconds, samples=1)


def search(
    bench: RecordedBench,
    database: Database,
    spaces: Sequence[Sequence[Space]] = ((tile_space(),),),
    trials: int = 200,
    seconds: float = 600.0,
    events: list[Event] | None = None,
) -> Search:
    states = [
        TaskState(index, matmul_task(f"matmul-{index}"), tuple(of_task))
        for index, of_task in enumerate(spaces)
    ]
    recorder = Recorder(database, HERE, "random", 0)
    told = events if events is not None else []
    return Search(states, bench, recorder, Budget(trials, seconds, 0.0), told.append)


def memory() -> Database:
    return Database(Path(":memory:"))
