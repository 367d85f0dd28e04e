"""One run of one agent on one workload: the tuner's own loop, with a tape of what it found when."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harl_mlir.lab.contenders import make_contender
from harl_mlir.lab.recorded import Recording
from harl_mlir.lab.replay_bench import ReplayBench
from harl_mlir.measure.bench import Bench
from harl_mlir.measure.measurement import Measurement
from harl_mlir.records.database import Database
from harl_mlir.records.record import Environment
from harl_mlir.search.pretrained import Pretrained
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.progress import ignore
from harl_mlir.tuner.recorder import Recorder
from harl_mlir.tuner.search import Search
from harl_mlir.tuner.state import TaskState

_NOWHERE = Environment("none", (), 1, "none", 0)


@dataclass(frozen=True)
class Workload:
    """What agents are compared on: the tasks of one kernel or of one recorded space.

    Attributes:
        digest: of the file, so that results of another one are not mixed in.
        recording: where the times come from; None means that they are measured.
    """

    name: str
    digest: str
    tasks: tuple[tuple[Task, tuple[Space, ...]], ...]
    recording: Recording | None = None

    @property
    def best_seconds(self) -> float | None:
        """The least time of the whole program, where it is known."""
        return self.recording.best_seconds if self.recording else None

    def states(self) -> list[TaskState]:
        """The tasks as the tuner's loop takes them."""
        return [TaskState(number, task, spaces) for number, (task, spaces) in enumerate(self.tasks)]


@dataclass(frozen=True)
class Improvement:
    """From trial `trial` on, `seconds` after the start, the program takes `program_seconds`."""

    trial: int
    seconds: float
    program_seconds: float


@dataclass(frozen=True)
class Run:
    """What one agent found on one workload with one seed.

    Attributes:
        trials: candidates measured; fewer than asked for where nothing was left or the best was found.
        failures: how many of them failed.
        seconds: wall time; of a replay, the agent's own time and what its trials took when recorded.
        agent_seconds: what proposing and learning took of it.
        improvements: of the whole program's time (each task's best by its weight), once every task has one.
    """

    workload: str
    digest: str
    agent: str
    seed: int
    trials: int
    failures: int
    seconds: float
    agent_seconds: float
    improvements: tuple[Improvement, ...]

    @property
    def best(self) -> float:
        """The program's time in the end, infinite if a task has none."""
        return self.improvements[-1].program_seconds if self.improvements else math.inf

    def trials_to(self, seconds: float) -> int | None:
        """The trial from which on the program takes at most `seconds`, or None."""
        return next((i.trial for i in self.improvements if i.program_seconds <= seconds), None)

    def seconds_to(self, seconds: float) -> float | None:
        """The wall time from which on the program takes at most `seconds`, or None."""
        return next((i.seconds for i in self.improvements if i.program_seconds <= seconds), None)


class _Tape:
    """A `Bench` that notes what the trials of another one bring."""

    def __init__(self, bench: Bench, workload: Workload, budget: Budget) -> None:
        self.improvements: list[Improvement] = []
        self.trials = 0
        self.failures = 0
        self._bench = bench
        self._budget = budget
        self._goal = workload.best_seconds
        self._weights = {task.key: task.weight for task, _ in workload.tasks}
        self._best: dict[str, float] = {}
        self._started = time.monotonic()
        self._measuring = 0.0

    @property
    def seconds(self) -> float:
        """Wall time since the start; trials that are replayed count as when they were recorded."""
        return time.monotonic() - self._started + self._replayed()

    @property
    def agent_seconds(self) -> float:
        """What was not measuring."""
        return time.monotonic() - self._started - self._measuring

    def measure(
        self,
        task: Task,
        schedule: Candidate | str | None,
        *,
        best: float | None = None,
        cap: float | None = None,
        script: str | None = None,
    ) -> Measurement:
        """Measure, and note it if it is a trial."""
        started = time.monotonic()
        measurement = self._bench.measure(task, schedule, best=best, cap=cap, script=script)
        self._measuring += time.monotonic() - started
        if schedule is not None:
            self._note(task, measurement)
        return measurement

    def retime(
        self, task: Task, schedules: Sequence[Candidate | str | None], *, script: str | None = None
    ) -> list[Measurement]:
        """Finalists are no part of a comparison."""
        return self._bench.retime(task, schedules, script=script)

    def _note(self, task: Task, measurement: Measurement) -> None:
        self.trials += 1
        if measurement.seconds is None:
            self.failures += 1
            return
        if measurement.seconds >= self._best.get(task.key, math.inf):
            return
        self._best[task.key] = measurement.seconds
        if len(self._best) == len(self._weights):
            program = sum(self._weights[key] * seconds for key, seconds in self._best.items())
            self.improvements.append(Improvement(self.trials, self.seconds, program))
            if self._goal is not None and program <= self._goal * (1 + 1e-9):
                self._budget.trials_left = 0  # nothing better is there to be found

    def _replayed(self) -> float:
        return self._bench.cost if isinstance(self._bench, ReplayBench) else 0.0


def run_agent(
    workload: Workload,
    bench: Bench,
    agent: str,
    seed: int,
    trials: int,
    pretrained: Pretrained | None = None,
) -> Run:
    """Search a workload without records; a replay ends early where it has found the best there is."""
    budget = Budget(trials, math.inf, 0.0)
    tape = _Tape(bench, workload, budget)
    with Database(Path(":memory:")) as database:
        recorder = Recorder(database, _NOWHERE, agent, seed)
        search = Search(workload.states(), tape, recorder, budget, ignore)
        search.first_times()
        search.explore(lambda problems: make_contender(agent, problems, seed, trials, pretrained))
    return Run(
        workload.name,
        workload.digest,
        agent,
        seed,
        tape.trials,
        tape.failures,
        tape.seconds,
        tape.agent_seconds,
        tuple(tape.improvements),
    )
