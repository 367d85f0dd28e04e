"""The loop that joins the rooms: propose, measure, record, observe, until the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harl_mlir.interrupts import heed
from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.bench import Bench
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.search.agent import Agent, Problem, Proposal, Trial
from harl_mlir.space.candidate import Candidate
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.progress import Listener, Phase, Progressed
from harl_mlir.tuner.recorder import Recorder
from harl_mlir.tuner.state import TaskState
from harl_mlir.tuner.stopwatch import Stopwatch

ROUND = 8
"""Candidates asked of the agent at a time."""

UNTUNED_CAP_SECONDS = 2.0
"""A call of the untuned kernel that takes longer is cut off: its time is `slower than` this."""

FINALISTS = 4
"""Best candidates of a task that are timed again, beside the default and the untuned kernel."""

_WORTH_RETIMING = 2.0
"""The untuned kernel is a finalist if it is at most this much slower than the best candidate."""
_MOST_RETIMING_SECONDS = 8.0
"""However slow a kernel is, one finalist takes no longer (see `harl_mlir.measure.clock`)."""

_DOUBT = 1.5
"""How much longer than estimated the finalists may take on a busy machine."""

_WRITING_SECONDS = 1.0
"""What writing the outputs and ending the process take."""

_MOST_OF_BUDGET = 0.3
"""Share of the seconds that is kept for the end, however many tasks there are."""

MakeAgent = Callable[[Sequence[Problem]], Agent]


@dataclass
class Search:
    """One run over all tasks of a kernel.

    Every method may be left by KeyboardInterrupt at any point: what is in `states` stays valid.
    """

    states: Sequence[TaskState]
    bench: Bench
    recorder: Recorder
    budget: Budget
    listener: Listener
    watch: Stopwatch = field(default_factory=Stopwatch)
    _trial_seconds: float = 0.0
    _trials: int = 0

    def run(self, make_agent: MakeAgent) -> None:
        """Spend the budget; afterwards every state knows its finalists."""
        self.first_times()
        self.explore(make_agent)
        self.finish()

    def first_times(self) -> None:
        """Time the untuned kernels, read the stored records, and measure the defaults.

        Trial 0 of every task is its first sketch's default. That of the first task is measured even if
        the time is over; further tasks are left as they are then.
        """
        for state in self.states:
            state.recall(self.recorder.stored(state.task, state.spaces))
        for number, state in enumerate(self.states):
            if number > 0 and self.budget.seconds_left <= 0:
                break
            self._time_untuned(state)
            if self.budget.trials_left > 0:
                self._try(state, state.spaces[0].default())
            self._tell(state)
        for state in self.states:
            for space in state.spaces[1:]:
                if not self._is_over():
                    self._try(state, space.default())

    def explore(self, make_agent: MakeAgent) -> None:
        """Let the agent propose until the budget is spent or nothing is left to try."""
        if self._is_over() or not self._something_is_left():
            return
        with self.watch.part("search"):
            agent = make_agent([state.problem for state in self.states])
            agent.observe(
                [
                    Trial(Proposal(state.index, candidate), measurement)
                    for state in self.states
                    for candidate, measurement in state.known.items()
                ]
            )
        for state in self.states:
            self._enter(state, "searching")
        while not self._is_over():
            with self.watch.part("search"):
                proposals = agent.propose(min(ROUND, self.budget.trials_left))
            if not proposals:
                return
            trials: list[Trial] = []
            for proposal in proposals:
                if self._is_over():
                    break
                measurement = self._try(self.states[proposal.problem], proposal.candidate)
                trials.append(Trial(proposal, measurement))
            with self.watch.part("search"):
                agent.observe(trials)

    def finish(self) -> None:
        """Time the finalists of every task again, in turns, before one is chosen."""
        for number, state in enumerate(self.states):
            share = self.budget.seconds_left / (len(self.states) - number)
            finalists = self._finalists(state, share)
            if len(finalists) > 1:
                self._enter(state, "finalists")
                with self.watch.part("finalists"):
                    times = self.bench.retime(state.task, finalists, script=state.script)
                    state.final = dict(zip(finalists, times, strict=True))
                    self.recorder.add(state.task, "final", state.final)
            self._enter(state, "done")

    def _finalists(self, state: TaskState, seconds: float) -> list[Candidate | None]:
        """As many of the best as can be timed in `seconds`, at least one, and the default beside them."""
        ranking = state.ranking()
        affordable = int(seconds / self._retiming_takes(state)) - 2
        count = max(1, min(FINALISTS, affordable))
        finalists: list[Candidate | None] = list(ranking[:count])
        default = state.default
        if default in ranking and default not in finalists:
            finalists.append(default)
        best, untuned = state.best_seconds, state.untuned_seconds
        if best is not None and untuned is not None and untuned <= _WORTH_RETIMING * best:
            finalists.append(None)
        return finalists

    def _time_untuned(self, state: TaskState) -> None:
        with self.watch.part("measuring"):
            state.untuned = self.bench.measure(state.task, None, cap=UNTUNED_CAP_SECONDS)
        if state.untuned.failure and state.untuned.failure.kind in ("run_timeout", "too_slow"):
            state.untuned_cap = UNTUNED_CAP_SECONDS
        self.recorder.add(state.task, "untuned", {None: state.untuned})
        self._tell(state)

    def _try(self, state: TaskState, candidate: Candidate) -> Measurement:
        """Measure and record a candidate, unless it is known already."""
        known = state.known.get(candidate)
        if known is not None:
            return known
        started = time.monotonic()
        with self.watch.part("measuring"):
            measurement = self._measured(state, candidate)
            self.budget.spend()
            state.add(candidate, measurement)
            self.recorder.add(state.task, "trial", {candidate: measurement})
        self.watch.note_measured()
        self._trial_seconds += time.monotonic() - started
        self._trials += 1
        self._keep_time_for_finalists()
        self._tell(state)
        return measurement

    def _measured(self, state: TaskState, candidate: Candidate) -> Measurement:
        try:
            return self.bench.measure(state.task, candidate, best=state.best_seconds, script=state.script)
        except WorkerError as error:
            # A fault of ours on one candidate must not end the run: it is named like any other failure.
            return failed("crash", f"internal error: {str(error).strip().splitlines()[-1]}")

    def _something_is_left(self) -> bool:
        return any(sum(space.size() for space in state.spaces) > len(state.known) for state in self.states)

    def _retiming_takes(self, state: TaskState) -> float:
        """Estimated seconds to build one finalist and time it: about 35 samples of at least 5 ms."""
        mean = self._trial_seconds / max(1, self._trials)
        call = state.best_seconds or 0.0
        return mean + min(35 * (max(0.005, call) + call), _MOST_RETIMING_SECONDS)

    def _keep_time_for_finalists(self) -> None:
        wanted = sum((FINALISTS + 2) * self._retiming_takes(state) for state in self.states)
        wanted = _DOUBT * wanted + _WRITING_SECONDS
        self.budget.reserve(min(wanted, _MOST_OF_BUDGET * self.budget.seconds))

    def _is_over(self) -> bool:
        heed()
        return self.budget.search_is_over or self.recorder.error is not None

    def _enter(self, state: TaskState, phase: Phase) -> None:
        state.phase = phase
        self._tell(state)

    def _tell(self, state: TaskState) -> None:
        self.listener(Progressed(state.index, state.progress()))
