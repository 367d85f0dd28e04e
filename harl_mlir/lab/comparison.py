"""All runs of a comparison, kept in its result file so that it can be gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harl_mlir import __version__
from harl_mlir.errors import InputError, Place
from harl_mlir.files import Output
from harl_mlir.lab.replay_bench import ReplayBench
from harl_mlir.lab.runs import Run, Workload, run_agent
from harl_mlir.lab.summary import summarise
from harl_mlir.measure.bench import Bench
from harl_mlir.search.pretrained import Pretrained

SCHEMA = 1
KIND = "harl_mlir comparison"
NO_WEIGHTS = "none"
_SAVE_SECONDS = 20.0


@dataclass(frozen=True)
class _Stored:
    """What is read back from a result file; the rest follows from it."""

    kind: str
    schema: int
    trials: int
    runs: list[Run]
    weights: str = NO_WEIGHTS


@dataclass
class Comparison:
    """Agents x workloads x seeds.

    Attributes:
        agents: contenders by name; the first is the measure of the others.
        seeds: each agent runs on each workload with the seeds 0 to seeds-1.
        trials: the budget of a run.
        output: the JSON file; runs it holds of the same workloads and budget are not repeated.
        pretrained: the weights that harl starts from, if any.
        runs: every run so far, asked for or not.
    """

    workloads: Sequence[Workload]
    agents: Sequence[str]
    seeds: int
    trials: int
    output: Output
    pretrained: Pretrained | None = None
    runs: list[Run] = field(default_factory=list)

    def resume(self) -> int:
        """Take in the runs of the result file, if there is one; how many of them were asked for.

        Raises:
            InputError: the file is something else, or of another budget or other weights.
        """
        place = Place(str(self.output.path))
        if not self.output.path.is_file():
            return 0
        try:
            stored = msgspec.json.decode(self.output.path.read_bytes(), type=_Stored)
        except msgspec.MsgspecError as error:
            raise InputError(
                "this file is no comparison and is not overwritten; name another with --json", place
            ) from error
        if (stored.kind, stored.schema) != (KIND, SCHEMA):
            raise InputError("this file is of another program or version; name another with --json", place)
        if stored.trials != self.trials:
            raise InputError(
                f"this comparison has runs of {stored.trials} trials; give --trials {stored.trials} "
                "or name another file with --json",
                place,
            )
        if stored.weights != self._weights:
            raise InputError(
                f"this comparison has runs with other weights ({stored.weights}, not {self._weights}); "
                "give the same --weights or name another file with --json",
                place,
            )
        self.runs = stored.runs
        return len(self._wanted())

    def run(self, live: Bench | None, tell: Callable[[str], None]) -> None:
        """Make the runs that are missing, and save now and then.

        Seeds are outermost: what an interrupted comparison holds is balanced. `live` measures the
        workloads that are not recorded.
        """
        done = {(r.workload, r.digest, r.agent, r.seed) for r in self.runs}
        saved = time.monotonic()
        for seed in range(self.seeds):
            for workload in self.workloads:
                for agent in self.agents:
                    if (workload.name, workload.digest, agent, seed) in done:
                        continue
                    bench = ReplayBench(workload.recording) if workload.recording else live
                    assert bench is not None
                    self.runs.append(run_agent(workload, bench, agent, seed, self.trials, self.pretrained))
                    tell(_line(self.runs[-1], workload))
                    if time.monotonic() - saved > _SAVE_SECONDS:
                        self.save()
                        saved = time.monotonic()

    def save(self) -> dict[str, Any]:
        """Write the result file; its content."""
        content = self.content()
        self.output.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
        return content

    def content(self) -> dict[str, Any]:
        """What the result file holds: the summary, then every run."""
        return {
            "kind": KIND,
            "schema": SCHEMA,
            "version": __version__,
            "trials": self.trials,
            "weights": self._weights,
            "seeds": self.seeds,
            **summarise(self._wanted(), self.workloads, self.agents, self.trials),
            "runs": self.runs,
        }

    @property
    def _weights(self) -> str:
        return self.pretrained.digest if self.pretrained else NO_WEIGHTS

    def _wanted(self) -> list[Run]:
        asked = {(w.name, w.digest) for w in self.workloads}
        return [
            run
            for run in self.runs
            if (run.workload, run.digest) in asked and run.agent in self.agents and run.seed < self.seeds
        ]


def _line(run: Run, workload: Workload) -> str:
    best = workload.best_seconds
    found = f"{100 * best / run.best:.1f} % of the best" if best else f"{run.best:.3g} s"
    return (
        f"seed {run.seed}, {run.workload}, {run.agent}: {found} in {run.trials} trials, "
        f"{run.failures} failed, {run.seconds:.1f} s, {run.agent_seconds:.1f} s of them the agent's"
    )
