"""A bench of known times, and recordings made with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harl_mlir.lab.recorded import Recording, encode, load
from harl_mlir.lab.recording import Declared, Journal, identity, record
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.processor import Processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from tests.small_task import HERE


def tiled(sketch: str = "tiled", count: int = 12) -> Space:
    """x and y in 0..count-1, of which those with x + y > 1.5 * count are illegal; and a form."""
    decisions = (
        Decision("x", tuple(range(count)), 1),
        Decision("y", tuple(range(count)), 0),
        Decision("form", ("plain", "packed"), "plain", ordered=False),
    )
    return Space(sketch, 1, decisions, lambda at: int(at["x"]) + int(at["y"]) <= 1.5 * count)


def known_seconds(at: Mapping[str, Value]) -> float | None:
    """Best at x = 7, y = 4, packed; fails at y = 6."""
    if at["y"] == 6:
        return None
    form = 1.0 if at["form"] == "packed" else 1.5
    return 1e-3 * form * (1 + 0.1 * abs(int(at["x"]) - 7) + 0.2 * abs(int(at["y"]) - 4))


@dataclass
class KnownBench:
    """Answers from a function of the candidate's values; screening errs by `screening_error`."""

    seconds: Callable[[Mapping[str, Value]], float | None] = known_seconds
    screening_error: Callable[[Candidate], float] = lambda _: 1.0
    drift: float = 1.0
    asked: list[Candidate | None] = field(default_factory=list)
    retimed: int = 0
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
        if self.interrupt_after is not None and len(self.asked) >= self.interrupt_after:
            raise KeyboardInterrupt
        self.asked.append(schedule)
        return self._time(schedule, self.screening_error(schedule) if schedule else 1.0)

    def retime(
        self, task: Task, schedules: Sequence[Candidate | str | None], *, script: str | None = None
    ) -> list[Measurement]:
        self.retimed += len(schedules)
        factor = self.drift**self.retimed
        return [self._time(s, factor) for s in schedules if not isinstance(s, str)]

    def _time(self, candidate: Candidate | None, factor: float) -> Measurement:
        seconds = 0.1 if candidate is None else self.seconds(candidate.assignment)
        if seconds is None:
            return failed("crash", "planted")
        return Measurement(seconds=factor * seconds, best=factor * seconds, samples=1)


def make_recording(
    directory: Path,
    bench: KnownBench,
    tasks: Sequence[Declared],
    name: str = "planted",
    processor: Processor | None = None,
) -> Recording:
    """Record, and read back what was written."""
    journal = Journal(directory / f"{name}.journal", identity(name, tasks, HERE))
    recording = record(name, tasks, HERE, bench, journal, lambda _: None, processor)
    path = directory / f"{name}.npz"
    path.write_bytes(encode(recording))
    return load(path)
