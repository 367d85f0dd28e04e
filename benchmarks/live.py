"""How soon tuning gets anywhere: runs of `harl-mlir tune` and of MetaSchedule, the same cases, one core.

Times of different processes are not compared. The kernels that the runs end with are timed in turns in the
same passes, and what a run had found at any moment is taken in relation to what it ended with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.kernels import kernel_text
from benchmarks.live_summary import METASCHEDULE, summarise_live
from benchmarks.loading import Loading
from benchmarks.ours import OurKernel, are_legal, our_kernel, whole_function
from benchmarks.passes import ContenderError
from benchmarks.peer_process import CONTENDERS
from benchmarks.results import Absent, Results, Searched, Slow
from benchmarks.suite import Case
from benchmarks.timing import CaseTiming, tell
from benchmarks.tune_process import TuneError, search
from harl_mlir.measure.pool import Pool


@dataclass(frozen=True)
class LivePlan:
    """What to run and how.

    Attributes:
        cases: those asked for.
        agents: see `agent_options`; the first makes the long run as well.
        seeds: runs of each agent on each case.
        trials, long_trials: budgets of a run and of the long one.
        passes: over the final kernels of each case.
        core: the one everything runs on, one thing at a time.
        environments: of the peers, by name; why there are no others is in `missing`.
        store: where MetaSchedule's records are; a case with one there is not tuned again.
    """

    cases: Sequence[Case]
    agents: Sequence[str]
    seeds: int
    trials: int
    long_trials: int
    passes: int
    core: int
    environments: dict[str, Path]
    missing: dict[str, str]
    store: Path


@dataclass(frozen=True)
class Planned:
    """A run of ours."""

    agent: str
    seed: int
    trials: int

    @property
    def name(self) -> str:
        """Of the contender."""
        return f"{self.agent}/{self.seed}/{self.trials}"


def planned(plan: LivePlan) -> list[Planned]:
    """The runs of each case. Agents take turns, so that a slow hour of the machine befalls all of them."""
    runs = [Planned(agent, seed, plan.trials) for seed in range(plan.seeds) for agent in plan.agents]
    return list(dict.fromkeys([*runs, Planned(plan.agents[0], 0, plan.long_trials)]))


def run_live(plan: LivePlan, results: Results, suite: Sequence[Case]) -> None:
    """Run what is not there yet; `suite` holds the cases of the summary."""
    for number, case in enumerate(plan.cases, start=1):
        tell(f"[{number}/{len(plan.cases)}] {case.name}: {case.flops / 1e9:.3g} GFLOP")
        _LiveCase(plan, results, case).run()
        results.write(summarise_live(results, suite))


@dataclass
class _LiveCase:
    plan: LivePlan
    results: Results
    case: Case

    @cached_property
    def timing(self) -> CaseTiming:
        return CaseTiming(self.case, self.results, (self.plan.core,), self.plan.passes)

    @cached_property
    def kernel(self) -> str:
        return kernel_text(self.case)

    def run(self) -> None:
        if not self._unfinished():
            return
        self._forget_what_is_old()
        self._search()
        with Pool(core=self.plan.core) as pool:
            ours = self._our_kernels(pool)
            with self._loading() as loading:
                peers = self.timing.settled(loading.peers((self.plan.core,)))
                self.timing.time([*ours, *peers], self._unfinished(), pool.peak)

    def _unfinished(self) -> list[int]:
        """Passes that lack a run asked for or made before, or MetaSchedule where it can be had."""
        names = {run.name for run in planned(self.plan)} | set(self._searched())
        if self._environment() is not None:
            names.add(METASCHEDULE)
        return self.timing.unfinished(names - self._out())

    def _out(self) -> set[str]:
        """Those that cannot take part; MetaSchedule may have been installed since it could not."""
        out = {name for name, cell in self._absent().items() if cell.kind != "not_installed"}
        return out | set(self.results.of(Slow, self.case.name))

    def _forget_what_is_old(self) -> None:
        found = self._searched().values()
        if not found:
            return
        with Pool(core=self.plan.core) as pool:
            legal = all(are_legal(pool, self.kernel, cell.candidates) for cell in found)
        if not legal:
            tell("  the spaces have changed since it was tuned: begun again")
            self.results.forget(self.case.name)

    def _search(self) -> None:
        known = {*self._searched(), *self._absent()}
        for run in planned(self.plan):
            if run.name in known:
                continue
            try:
                made = search(self.case.name, run.name, self.kernel, run.agent, run.seed, run.trials)
            except TuneError as error:
                self.timing.absent(run.name, "failed", str(error))
                continue
            best = min((s for _, s in made.trials if s is not None), default=None)
            rate = "" if best is None else f", {self.case.flops / best / 1e9:.1f} GFLOP/s"
            tell(f"  {run.name}: {len(made.trials)} trials in {made.seconds:.1f} s{rate}")
            self.results.add(made)

    def _our_kernels(self, pool: Pool) -> list[OurKernel]:
        function = whole_function(pool, self.kernel, self.case.name)
        kernels = []
        for name, cell in self._searched().items():
            try:
                kernels.append(our_kernel(name, pool, self.kernel, function, cell.candidates))
            except ContenderError as error:
                self.timing.absent(name, "failed", str(error))
        return kernels

    def _loading(self) -> Loading:
        """MetaSchedule, which tunes the case when it is loaded; nothing else runs meanwhile."""
        environment, environments = self._environment(), []
        if environment is None:
            name = CONTENDERS[METASCHEDULE].environment
            reason = self.plan.missing.get(name, "It is not installed.")
            self.timing.absent(METASCHEDULE, "not_installed", reason)
        elif METASCHEDULE not in self._out():
            environments.append((METASCHEDULE, environment))
        return Loading(self.case, self.kernel, environments, self.plan.store, self.timing.peer_known)

    def _environment(self) -> Path | None:
        return self.plan.environments.get(CONTENDERS[METASCHEDULE].environment)

    def _searched(self) -> dict[str, Searched]:
        return self.results.of(Searched, self.case.name)

    def _absent(self) -> dict[str, Absent]:
        return self.results.of(Absent, self.case.name)
