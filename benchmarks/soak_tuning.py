"""Whether tuning survives ten thousand trials: `python -m benchmarks.soak_tuning [--trials N]`.

Tunes small matmuls with the tuner, measuring process and database that users have. Now and then a planted
fault is measured in a candidate's place: builds and calls that hang or crash, wrong results, reads out of
bounds, too much memory, a worker killed by the system. In the last third only faults that a worker survives
are planted, so that one worker grows old. It ends with 1 if

- the database does not hold exactly one record a trial, and the planted failure for each fault;
- a process is left over;
- the memory of the tuner or of that last worker grew by more than it may.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.planted_faults import FAULTS
from harl_mlir.measure.limits import Limits
from harl_mlir.measure.measurement import Measurement
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.process import resident_bytes
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task
from harl_mlir.tuner import Request, Result, Settings, tune_with

MOST_GROWTH = 64 << 20
"""Bytes that the tuner may grow by in the last two thirds of the trials, and the last worker in its life."""

_UNDISTURBED = 8
_SIZES = ((48, 64, 40), (40, 80, 28), (64, 96, 24))
"""Multiples of the tile that the planted hang vectorizes; otherwise it fails before it hangs."""
_FUNCTION = """
func.func @matmul_{m}x{n}x{k}(%a: tensor<{m}x{k}xf32>, %b: tensor<{k}x{n}xf32>) -> tensor<{m}x{n}xf32> {{
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<{m}x{n}xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>
  %c = linalg.matmul ins(%a, %b : tensor<{m}x{k}xf32>, tensor<{k}x{n}xf32>)
                     outs(%init : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>
  return %c : tensor<{m}x{n}xf32>
}}
"""


@dataclass
class FaultyPool(Pool):
    """A pool that measures planted faults in the place of some candidates, and keeps an eye on memory.

    Attributes:
        planted: task, candidate and name of each fault planted.
        trials: candidates measured.
        workers: process ids of the workers there were.
        memory: after each trial, bytes of this process, the worker's process id, and its bytes.
    """

    total: int
    share: float
    seed: int = 0
    planted: list[tuple[str, Candidate, str]] = field(default_factory=list)
    trials: int = 0
    workers: dict[int, None] = field(default_factory=dict)
    memory: list[tuple[int, int, int]] = field(default_factory=list)
    limits: Limits = field(default_factory=lambda: Limits(build_seconds=8.0, run_seconds=1.0))

    def __post_init__(self) -> None:
        super().__init__(limits=self.limits)
        self._random = random.Random(self.seed)
        self._started = time.monotonic()
        self._names: list[str] = []

    def measure(
        self,
        task: Task,
        schedule: Candidate | str | None,
        *,
        best: float | None = None,
        cap: float | None = None,
        script: str | None = None,
    ) -> Measurement:
        """As `Pool.measure`, or with a fault."""
        if not isinstance(schedule, Candidate):
            return super().measure(task, schedule, best=best, cap=cap, script=script)
        name = self._fault()
        if name is None:
            measurement = super().measure(task, schedule, best=best, cap=cap, script=script)
        else:
            self.planted.append((task.key, schedule, name))
            measurement = FAULTS[name].measure(self, task, best)
        self.trials += 1
        self._note_memory()
        return measurement

    def _fault(self) -> str | None:
        """The fault to plant now, if any; each comes as often as the others."""
        if self.trials < _UNDISTURBED or self._random.random() >= self.share:
            return None
        may_end = self.trials < self.total * 2 // 3
        usable = [name for name in self._names if may_end or not FAULTS[name].ends_worker]
        if not usable:
            self._names = self._random.sample(list(FAULTS), len(FAULTS))
            usable = [name for name in self._names if may_end or not FAULTS[name].ends_worker]
        self._names.remove(usable[0])
        return usable[0]

    def _note_memory(self) -> None:
        pid = self.worker_pid or 0
        if pid:
            self.workers[pid] = None
        self.memory.append((resident_bytes(os.getpid()), pid, resident_bytes(pid) if pid else 0))
        if self.trials % max(1, self.total // 20) == 0:
            main, _, worker = self.memory[-1]
            seconds = time.monotonic() - self._started
            print(
                f"{self.trials:6} trials, {seconds:6.0f} s, {len(self.planted)} faults,"
                f" {len(self.workers)} workers, tuner {main >> 20} MiB, worker {worker >> 20} MiB",
                flush=True,
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, print what was found, and say by the exit code whether all of it was right."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak_tuning", description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000, help="candidates measured (default 10000)")
    parser.add_argument(
        "--faults", type=float, default=0.02, help="share of them with a fault (default 0.02)"
    )
    parser.add_argument("--agent", default="harl", help="the search policy (default harl)")
    parser.add_argument("--seed", type=int, default=0, help="of search and faults (default 0)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        pool = FaultyPool(options.trials, options.faults, options.seed)
        settings = Settings(agent=options.agent, trials=options.trials, seconds=1e6, seed=options.seed)
        with pool:
            result = tune_with(pool, _request(directory, settings))
        wrong = [*_wrong_records(directory / "soak.db", pool, result), *_left_over(), *_grown(pool)]
    spent = result.spent
    print(f"failed: {_counts(result.failures)}; planted: {_counts(Counter(n for *_, n in pool.planted))}")
    print(
        f"search {spent.search:.1f} s ({spent.search_cpu:.1f} s of processor time),"
        f" measuring {spent.measuring:.1f} s"
    )
    for line in wrong:
        print(f"WRONG: {line}")
    return 1 if wrong else 0


def _counts(counted: Mapping[Any, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items())) or "none"


def _request(directory: Path, settings: Settings) -> Request:
    kernel = directory / "soak.mlir"
    kernel.write_text("".join(_FUNCTION.format(m=m, n=n, k=k) for m, n, k in _SIZES), encoding="utf-8")
    return Request(kernel, directory / "soak.schedules.mlir", directory / "soak.db", settings=settings)


def _wrong_records(database: Path, pool: FaultyPool, result: Result) -> list[str]:
    """What the database does not hold as it should."""
    with sqlite3.connect(database) as connection:
        query = "SELECT task, sketch, choices, failure, message FROM record WHERE stage = 'trial'"
        rows = connection.execute(query).fetchall()
    found = [f"the run ended as {result.status}: {result.error}"] if result.status != "ok" else []
    counted = sum(task.trials for task in result.tasks)
    print(f"{len(rows)} records of {pool.trials} trials, {counted} of them in the result")
    if not len(rows) == pool.trials == counted:
        found.append("trials and records differ")
    recorded = {(task, sketch, choices): (kind, message) for task, sketch, choices, kind, message in rows}
    if len(recorded) != len(rows):
        found.append("a candidate was measured twice")
    for task, candidate, name in pool.planted:
        choices = msgspec.json.encode(candidate.values).decode()
        kind, message = recorded.get((task, candidate.sketch, choices), ("no record", ""))
        if kind != FAULTS[name].kind:
            found.append(f"{name} was recorded as {kind}: {message}")
    return found


def _left_over() -> list[str]:
    """Workers of this process that still run."""
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "harl_mlir.measure.worker" in words and str(os.getpid()) in words:
            found.append(f"process {path.parent.name} is left over")
    return found


def _grown(pool: FaultyPool) -> list[str]:
    """Whose memory grew by more than it may."""
    third = pool.memory[len(pool.memory) // 3 :]
    last = third[-1][1]
    life = [worker for _, pid, worker in pool.memory if pid == last]
    # What a worker loads for its first candidates is no growth.
    spans = {
        "the tuner": (third[0][0], third[-1][0], len(third)),
        "the last worker": (life[min(len(life) - 1, len(life) // 10)], life[-1], len(life)),
    }
    found: list[str] = []
    for name, (before, after, trials) in spans.items():
        grown = after - before
        print(f"{name}: {before / 2**20:.1f} MiB, {grown / 2**20:+.1f} MiB over {trials} trials")
        if grown > MOST_GROWTH:
            found.append(f"{name} grew by {grown >> 20} MiB")
    return found


if __name__ == "__main__":
    sys.exit(main())
