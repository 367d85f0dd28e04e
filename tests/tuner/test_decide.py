"""A run that measures nothing: what it takes, what it leaves alone, and where it stops."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.measurement import Failure
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.decide import decide
from harl_mlir.tuner.state import TaskState
from harl_mlir.tuner.stopwatch import Stopwatch
from tests.small_task import matmul_task
from tests.tuner.recorded import tile_space


@dataclass
class Verdicts:
    """Gives verdicts in turn, and notes what it was asked."""

    verdicts: list[Failure | BaseException | None]
    asked: list[tuple[str, Candidate, bool, str | None]] = field(default_factory=list)

    def verify(
        self, task: Task, schedule: Candidate, *, run: bool = False, script: str | None = None
    ) -> Failure | None:
        self.asked.append((task.key, schedule, run, script))
        verdict = self.verdicts[len(self.asked) - 1]
        if isinstance(verdict, BaseException):
            raise verdict
        return verdict


def three() -> list[TaskState]:
    spaces = (tile_space("a", default=2), tile_space("b"))
    return [TaskState(i, matmul_task(f"m{i}"), spaces, script="s" if i else None) for i in range(3)]


def run(states: list[TaskState], verdicts: Verdicts, *, check: bool = False, seconds: float = 60.0) -> None:
    decide(states, verdicts, Budget(0, seconds, 0.0), Stopwatch(), check=check)


@pytest.mark.parametrize("check", [False, True])
def test_the_default_of_the_first_space_without_a_time(check: bool) -> None:
    states, verdicts = three(), Verdicts([None] * 3)
    run(states, verdicts, check=check)
    default = tile_space("a", default=2).default()
    assert verdicts.asked == [(f"m{i}", default, check, "s" if i else None) for i in range(3)]
    for state in states:
        result = state.result()
        assert (result.chosen, result.checked, result.trials) == (default, check, 0)
        assert (result.best_seconds, result.default_seconds, result.baseline_seconds) == (None, None, None)


def test_what_does_not_build_is_left_as_it_was_with_the_reason() -> None:
    states = three()
    failure = Failure("transform", "no such op\nat 3")
    run(states, Verdicts([failure, WorkerError("Traceback\nKeyError: 'x'"), None]))
    first, second, third = (state.result() for state in states)
    assert (first.chosen, first.checked, first.refusal) == (None, None, failure)
    assert second.refusal == Failure("crash", "internal error: KeyError: 'x'")
    assert third.chosen is not None
    assert third.refusal is None


def test_the_first_task_is_decided_even_if_the_time_is_over() -> None:
    states = three()
    run(states, Verdicts([None] * 3), seconds=1e-9)
    assert [state.result().chosen is None for state in states] == [False, True, True]


def test_an_interrupt_keeps_what_was_decided() -> None:
    states = three()
    with pytest.raises(KeyboardInterrupt):
        run(states, Verdicts([None, KeyboardInterrupt()]))
    assert [state.result().chosen is None for state in states] == [False, True, True]
