"""One file that shows a failed candidate again: kernel, schedule and command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from harl_mlir.accuracy import Accuracy
from harl_mlir.errors import HarlError
from harl_mlir.files import Output
from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.measurement import Failure, FailureKind
from harl_mlir.measure.pool import Pool
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.recorder import Recorder
from harl_mlir.tuner.result import Reproducer
from harl_mlir.tuner.state import TaskState

_WORST_FIRST: tuple[FailureKind, ...] = (
    "wrong_result",
    "out_of_bounds",
    "crash",
    "jit",
    "lower",
    "transform",
    "alloc_in_loop",
    "build_timeout",
    "out_of_memory",
    "run_timeout",
    "too_slow",
)
"""Faults of the schedule or the compiler before limits; last what only the best of a run makes a failure."""

_TEMPLATE = """\
#!/bin/sh
# A schedule of {label} that failed: {kind}.
{message}
# Run this file with a python3 that has harl_mlir installed (PYTHON=... sh FILE) to see it again.{alone}
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
cat > kernel.mlir <<'END_OF_KERNEL'
{kernel}
END_OF_KERNEL
cat > schedule.mlir <<'END_OF_SCHEDULE'
{schedule}
END_OF_SCHEDULE
"${{PYTHON:-python3}}" -m harl_mlir tune kernel.mlir --schedule schedule.mlir --library out.mlir \\
    --db measurements.db --accuracy {accuracy} --agent default --trials 1 --debug
"""


def reproducer_path(database: Path, kernel: Path) -> Path:
    """`DATABASE.KERNEL.failure.sh`, beside the database."""
    return database.with_name(f"{database.stem}.{kernel.stem}.failure.sh")


def write_reproducer(
    states: Sequence[TaskState], pool: Pool, path: Path, recorder: Recorder | None = None
) -> Reproducer | None:
    """Write the worst failure of this run; None if nothing failed or it cannot be shown.

    The file also says how to see a candidate's record without this package, by its number in the `recorder`.
    """
    found = _worst(
        (failure, state, candidate)
        for state in states
        for candidate, measurement in state.measured.items()
        if (failure := measurement.failure) is not None
    )
    if found is None:
        return None
    failure, state, candidate = found
    try:
        text = reproducer(
            state.task,
            failure,
            _schedule(pool, state, candidate),
            pool.accuracy,
            recorder.number(state.task, candidate) if recorder and state.script is None else None,
        )
        Output(path, "--db").write(text)
    except (HarlError, WorkerError, KeyboardInterrupt):
        return None
    return Reproducer(path, failure)


def reproducer(
    task: Task, failure: Failure, schedule: str, accuracy: Accuracy, record: int | None = None
) -> str:
    """The text of a shell script that tunes `task` with just this schedule; `record` is the failure's."""
    message = "\n".join(f"#   {line}" for line in failure.message.strip().splitlines()) or "#"
    return _TEMPLATE.format(
        label=shlex.quote(task.label()),
        kind=failure.kind,
        message=message,
        kernel=task.kernel.rstrip(),
        schedule=schedule.rstrip(),
        accuracy=accuracy,
        alone=f"\n# With MLIR's tools alone: harl-mlir reproduce {record} -o DIR" if record else "",
    )


def _schedule(pool: Pool, state: TaskState, candidate: Candidate) -> str:
    if state.script is not None:
        return pool.select(state.script, "script", candidate.values)
    return pool.library([(state.task, candidate)])


def _worst(
    failures: Iterable[tuple[Failure, TaskState, Candidate]],
) -> tuple[Failure, TaskState, Candidate] | None:
    return min(failures, key=lambda found: _WORST_FIRST.index(found[0].kind), default=None)
