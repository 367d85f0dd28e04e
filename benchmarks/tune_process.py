"""`harl-mlir tune` as a process of its own, from an empty database, and what it found when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import Searched, rounded
from harl_mlir.errors import HarlError, UsageError
from harl_mlir.lab.contenders import COLD
from harl_mlir.records.database import Database
from harl_mlir.records.record import UNTUNED, Record
from harl_mlir.search.registry import check_agent

DATABASE = "tune.db"
_ROOT = Path(__file__).resolve().parent.parent
_USAGE, _INTERRUPTED = 2, 130
_UNLIMITED_SECONDS = 1e6


class TuneError(HarlError):
    """A run that found nothing; the message says why."""


def run_tune(kernel: Path, folder: Path, trials: int, options: Sequence[str]) -> dict[str, Any]:
    """Tune a kernel with the code of this checkout; the database is `DATABASE` in `folder`.

    Args:
        kernel: MLIR file.
        folder: where the process runs and writes.
        trials: the only limit.
        options: further ones of `tune`.

    Returns:
        What `tune --json` said.

    Raises:
        UsageError: the options were refused.
        TuneError: it failed.
        KeyboardInterrupt: it was interrupted.
    """
    command = [sys.executable, "-m", "harl_mlir", "tune", str(kernel), "--json", "--db", DATABASE]
    command += ["--trials", str(trials), "--seconds", f"{_UNLIMITED_SECONDS:g}", *options]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=False)
    if done.returncode == _INTERRUPTED:
        raise KeyboardInterrupt
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise TuneError(f"tune ended with status {done.returncode}: {last[0]}") from None
    if found["status"] != "ok":
        raise (UsageError if done.returncode == _USAGE else TuneError)(found["error"]["message"])
    return found


def agent_options(agent: str) -> list[str]:
    """Those of an agent, or of `harl:cold`, as `compare` names it.

    Raises:
        UsageError: there is no such agent.
    """
    if agent == COLD:
        return ["--agent", agent.partition(":")[0], "--weights", "none"]
    check_agent(agent)
    return ["--agent", agent]


def search(case: str, contender: str, kernel: str, agent: str, seed: int, trials: int) -> Searched:
    """Tune the kernel's text of a case. Raises as `run_tune`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "kernel.mlir"
        file.write_text(kernel, encoding="utf-8")
        started = time.time()  # records bear the time of day
        run_tune(file, folder, trials, [*agent_options(agent), "--seed", str(seed)])
        seconds = time.time() - started
        records = _records(folder / DATABASE)
    return Searched(
        case,
        contender,
        agent=agent,
        seed=seed,
        budget=trials,
        candidates={r.task: r.candidate for r in [chosen(records)] if r.candidate != UNTUNED},
        trials=trials_of(records, started),
        seconds=round(seconds, 3),
    )


def trials_of(records: Sequence[Record], started: float) -> tuple[tuple[float, float | None], ...]:
    """`Searched.trials` of a run that was started at that time of day."""
    made = (record for record in records if record.stage == "trial")
    return tuple((round(r.time - started, 3), _seconds(r)) for r in made)


def chosen(records: Sequence[Record]) -> Record:
    """The record of the candidate that the run chose: where finalists were timed again, among them.

    Raises:
        TuneError: nothing has a time.
    """
    final = [record for record in records if record.stage == "final"]
    timed = [r for r in final or records if r.measurement.seconds is not None]
    if not timed:
        raise TuneError("nothing that was tried runs")
    return min(timed, key=lambda record: record.measurement.seconds or 0.0)


def _records(file: Path) -> list[Record]:
    with Database(file) as database:
        tasks, environments = database.tasks(), database.environments()
        if len(tasks) != 1 or len(environments) != 1:
            raise TuneError(f"a curve is of one task, this case has {len(tasks)}")
        return database.records(tasks[0].key, environments[0])


def _seconds(record: Record) -> float | None:
    seconds = record.measurement.seconds
    return None if seconds is None else rounded(seconds)
