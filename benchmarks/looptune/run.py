"""A run of the comparison: problem by problem, every finished cell kept at once, what is there left out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.kernels import kernel_text
from benchmarks.loading import Loading
from benchmarks.looptune.decisions import Asked, Learned, NothingLearnedError, decided
from benchmarks.looptune.stages import Stage
from benchmarks.ours import TaskKernel, named_faults
from benchmarks.passes import ContenderError
from benchmarks.peer_process import CONTENDERS
from benchmarks.results import Absent, Decided, Loaded, Results, Searched, Slow
from benchmarks.suite import Case
from benchmarks.timing import CaseTiming, tell
from benchmarks.tune_process import TuneError, search
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.space import rules_for
from harl_mlir.tasks.task import Task

HARL = "harl"
_SAME_MOMENT_SECONDS = 0.1


@dataclass(frozen=True)
class LoopTunePlan:
    """What to run and how.

    Attributes:
        stages: those asked for, with the cases asked for.
        contenders: those asked for; others that a problem has been timed with stay with it.
        learned: see `Asked`.
        seconds: of each measured search over nests.
        trials: of HARL's runs.
        passes: over each problem.
        core: the one everything runs on, one thing at a time.
        environments: of the peers, by name; why there are no others is in `missing`.
        store: where MetaSchedule's records are.
    """

    stages: Sequence[Stage]
    contenders: Sequence[str]
    learned: Learned | None
    seconds: float
    trials: int
    passes: int
    seed: int
    core: int
    environments: Mapping[str, Path]
    missing: Mapping[str, str]
    store: Path


def run_looptune(plan: LoopTunePlan, results: Results) -> None:
    """Run what is not there yet."""
    with Pool(core=plan.core) as pool:
        for stage in plan.stages:
            for number, case in enumerate(stage.cases, start=1):
                tell(f"{stage.name} [{number}/{len(stage.cases)}] {case.name}: {case.flops / 1e6:.3g} MFLOP")
                _Problem(plan, stage, results, pool, case).run()


def chosen_candidates(results: Results, case: str) -> dict[str, Candidate | None]:
    """By contender, of those of ours that have decided; None is the kernel as it came."""
    made: dict[str, Candidate | None] = {n: c.candidate for n, c in results.of(Decided, case).items()}
    for name, cell in results.of(Searched, case).items():
        made[name] = next(iter(cell.candidates.values()), None)
    return made


def timed_as(candidates: Mapping[str, Candidate | None], contenders: Sequence[str]) -> dict[str, str]:
    """Of each contender the first that has chosen the same: only that one is timed."""
    first: dict[Candidate | None, str] = {}
    names = [name for name in contenders if name in candidates]
    return {name: first.setdefault(candidates[name], name) for name in names}


@dataclass
class Probe:
    """The peak of a pool's core in FLOP/s. A pass that follows another has its last probe for its first."""

    pool: Pool
    _peak: float = 0.0
    _at: float = field(default=float("-inf"))

    def __call__(self) -> float:
        """The peak."""
        if time.monotonic() - self._at > _SAME_MOMENT_SECONDS:
            self._peak = self.pool.peak()
            self._at = time.monotonic()
        else:
            self._at = float("-inf")
        return self._peak


@dataclass
class _Problem:
    plan: LoopTunePlan
    stage: Stage
    results: Results
    pool: Pool
    case: Case

    @cached_property
    def key(self) -> Case:
        return self.stage.key(self.case)

    @cached_property
    def timing(self) -> CaseTiming:
        return CaseTiming(self.key, self.results, (self.plan.core,), self.plan.passes)

    @cached_property
    def kernel(self) -> str:
        return kernel_text(self.case)

    @cached_property
    def contenders(self) -> list[str]:
        before = {*chosen_candidates(self.results, self.key.name), *self.results.of(Loaded, self.key.name)}
        return [n for n in self.stage.contenders if n in self.plan.contenders or n in before]

    @cached_property
    def task(self) -> Task:
        (task,) = self.pool.analyse(self.kernel, self.case.name).tasks
        return task

    def run(self) -> None:
        if not self._undecided() and not self._unfinished():
            return
        for name in self._undecided():
            self._decide(name)
        kernels = self._kernels()
        with self._loading() as loading:
            peers = self.timing.settled(loading.peers((self.plan.core,)))
            for peer in peers:
                peer.sampling = self.stage.sampling
            self.timing.time([*kernels, *peers], self._unfinished(), Probe(self.pool))

    def _undecided(self) -> list[str]:
        known = {*chosen_candidates(self.results, self.key.name), *self._out()}
        if self.plan.learned is None:
            known |= set(self.results.of(Absent, self.key.name))
        return [n for n in self.contenders if n not in known and n not in CONTENDERS]

    def _decide(self, name: str) -> None:
        try:
            if name == HARL:
                trials, seed = self.plan.trials, self.plan.seed
                self.results.add(search(self.key.name, name, self.kernel, HARL, seed, trials))
            else:
                with named_faults():
                    self.results.add(decided(self.key.name, name, self._asked()))
        except NothingLearnedError as error:
            self.timing.absent(name, "not_installed", str(error))
        except (ContenderError, TuneError) as error:
            self.timing.absent(name, "failed", str(error))

    def _asked(self) -> Asked:
        rules = rules_for(self.task, this_processor())
        if rules is None:
            raise ContenderError("There are no loop nests of it to choose from.")
        product = self.results.of(Decided, self.key.name).get("product")
        return Asked(
            self.task,
            rules,
            self.pool,
            self.plan.learned,
            product.evaluations if product else None,
            self.plan.seconds,
            self.plan.seed,
            self.stage.measured,
        )

    def _kernels(self) -> list[TaskKernel]:
        """One for each distinct candidate."""
        candidates = chosen_candidates(self.results, self.key.name)
        names = sorted(self._timed() & set(candidates), key=self.contenders.index)
        return [TaskKernel(n, self.pool, self.task, candidates[n], self.stage.sampling) for n in names]

    def _timed(self) -> set[str]:
        """Those that take part in the passes."""
        ours = timed_as(chosen_candidates(self.results, self.key.name), self.contenders)
        peers = [n for n in self.contenders if n in CONTENDERS and self._environment(n) is not None]
        return {*ours.values(), *peers} - self._out()

    def _unfinished(self) -> list[int]:
        return self.timing.unfinished(self._timed())

    def _out(self) -> set[str]:
        absent = self.results.of(Absent, self.key.name)
        failed = {name for name, cell in absent.items() if cell.kind != "not_installed"}
        return failed | set(self.results.of(Slow, self.key.name))

    def _loading(self) -> Loading:
        environments = []
        for name in (name for name in self.contenders if name in CONTENDERS):
            environment = self._environment(name)
            if environment is None:
                reason = self.plan.missing.get(CONTENDERS[name].environment, "It is not installed.")
                self.timing.absent(name, "not_installed", reason)
            elif name in self._timed():
                environments.append((name, environment))
        return Loading(self.case, self.kernel, environments, self.plan.store, self.timing.peer_known)

    def _environment(self, name: str) -> Path | None:
        return self.plan.environments.get(CONTENDERS[name].environment)
