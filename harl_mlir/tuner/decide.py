"""A schedule for every task without timing anything: the default of its first space, verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harl_mlir.interrupts import heed
from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.measurement import Failure
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.state import Decided, TaskState
from harl_mlir.tuner.stopwatch import Stopwatch


class Verifier(Protocol):
    """Says what is wrong with a schedule without timing it: `harl_mlir.measure.pool.Pool`."""

    def verify(
        self, task: Task, schedule: Candidate, *, run: bool = False, script: str | None = None
    ) -> Failure | None:
        """What is wrong with one schedule, or None; see `Pool.verify`."""
        ...


def decide(
    states: Sequence[TaskState], verifier: Verifier, budget: Budget, watch: Stopwatch, *, check: bool
) -> None:
    """Give every task the default of its first space, if that builds.

    With `check` it is called once too, and its results have to be right. The first task is decided even if
    the time is over; further ones are left as they are then. May be left by KeyboardInterrupt at any point:
    the tasks decided until then stay so.
    """
    for number, state in enumerate(states):
        heed()
        if number > 0 and budget.seconds_left <= 0:
            return
        candidate = state.spaces[0].default()
        with watch.part("verifying"):
            failure = _verified(state, candidate, verifier, check)
        state.decided = Decided(candidate, failure, checked=check)
        state.phase = "done"


def _verified(state: TaskState, candidate: Candidate, verifier: Verifier, check: bool) -> Failure | None:
    try:
        return verifier.verify(state.task, candidate, run=check, script=state.script)
    except WorkerError as error:
        # A fault of ours on one task must not end the run: it is named like any other failure.
        return Failure("crash", f"internal error: {str(error).strip().splitlines()[-1]}")
