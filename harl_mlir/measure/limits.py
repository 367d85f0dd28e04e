"""What a candidate may use, and what it is recorded as when it used more and its worker had to go."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from harl_mlir.measure import protocol
from harl_mlir.measure.measurement import Failure
from harl_mlir.measure.process import WorkerDied
from harl_mlir.measure.protocol import Phase

OURS_TO_DO_SECONDS = 300.0
"""For operands, reference, comparison: slow for huge tasks, never the candidate's fault."""


@dataclass(frozen=True)
class Limits:
    """What a candidate may use.

    Attributes:
        build_seconds: wall time to transform, lower and compile.
        run_seconds, run_times_best: a call may take the larger of the two, `run_times_best` counted
            in times of the best known call.
        first_run_seconds: what a call may take while no best is known.
        memory_bytes: resident memory of the worker; None means half of the machine's.
    """

    build_seconds: float = 10.0
    run_seconds: float = 2.0
    run_times_best: float = 20.0
    first_run_seconds: float = 10.0
    memory_bytes: int | None = None

    def one_call(self, best: float | None, cap: float | None) -> float:
        """Seconds that one call may take."""
        if cap is not None:
            return cap
        if best is None:
            return self.first_run_seconds
        return max(self.run_times_best * best, self.run_seconds)

    def memory(self) -> int:
        """Bytes the worker may hold."""
        if self.memory_bytes is not None:
            return self.memory_bytes
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2

    def of_phases(self, one_call: float) -> Callable[[Phase], float]:
        """Seconds that each phase of the work may take, if one call may take `one_call`."""
        seconds = {
            "prepare": OURS_TO_DO_SECONDS,
            "build": self.build_seconds,
            "run": one_call,
            "check": OURS_TO_DO_SECONDS,
            # The clock calls slow kernels once or twice and quick ones for milliseconds.
            "time": 3 * one_call + 1.0,
        }
        return lambda phase: seconds[phase.name]


def failure_of(died: WorkerDied, limits: Limits, one_call: float, cap: float | None) -> Failure:
    """What a candidate is recorded as that took its worker with it."""
    phase = died.phase.name
    if died.cause == "memory":
        gib = limits.memory() / 2**30
        return Failure("out_of_memory", f"more than {gib:.2g} GiB in phase {phase}")
    if died.cause == "timeout":
        if phase == "build":
            return Failure("build_timeout", f"not built in {limits.build_seconds:g} s")
        if cap is not None:
            return Failure("too_slow", f"slower than {cap:g} s")
        return Failure("run_timeout", f"a call did not end in {one_call:.3g} s")
    if died.status == protocol.OUT_OF_BOUNDS_EXIT:
        return Failure("out_of_bounds", "touched a guard page beside an operand")
    if died.signal_name() == "SIGKILL":
        return Failure("out_of_memory", f"ended by the system in phase {phase}, most likely for its memory")
    return Failure("crash", f"{died.signal_name()} in phase {phase}" + indented(died.tail))


def indented(tail: str) -> str:
    """The last lines of a worker, to stand under a message."""
    return "".join(f"\n    {line}" for line in tail.splitlines())
