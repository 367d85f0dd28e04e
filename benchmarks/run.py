"""A run of the benchmark: case by case, every finished cell kept at once, what is there already left out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.kernels import kernel_text
from benchmarks.loading import Loading
from benchmarks.ours import (
    AGENTS,
    OURS,
    UNTUNED,
    UNTUNED_CAP_SECONDS,
    OurKernel,
    are_legal,
    our_kernel,
    time_untuned,
    tune_case,
    whole_function,
)
from benchmarks.passes import Contender, ContenderError, timed_pass
from benchmarks.peer_process import CONTENDERS, Unavailable
from benchmarks.results import Absent, Loaded, Pass, Reason, Results, Slow, Tuned, rounded
from benchmarks.suite import Case
from benchmarks.summary import summarise
from benchmarks.theirs import Peer
from harl_mlir.errors import HarlError
from harl_mlir.measure.pool import Pool
from harl_mlir.settings import Settings
from harl_mlir.tasks.task import Task

ALL_CONTENDERS = (*OURS, *CONTENDERS)
UNTUNED_PASS_SECONDS = 0.1
"""An untuned kernel with longer calls is timed once: no ratio depends on it."""


@dataclass(frozen=True)
class Plan:
    """What to run and how.

    Attributes:
        cases, contenders: those asked for; contenders that a case has been timed with stay with it.
        seconds, trials: budget of each of our tuned contenders.
        passes: over each case.
        seed: of the search.
        core: the one everything is timed on.
        build_core: where peers are built meanwhile; None where there is no other core.
        environments: of the peers, by name; why there are no others is in `missing`.
        store: where MetaSchedule's records are.
    """

    cases: Sequence[Case]
    contenders: Sequence[str]
    seconds: float
    trials: int
    passes: int
    seed: int
    core: int
    build_core: int | None
    environments: dict[str, Path]
    missing: dict[str, str]
    store: Path


def run(plan: Plan, results: Results, suite: Sequence[Case]) -> None:
    """Run what is not there yet."""
    for number, case in enumerate(plan.cases, start=1):
        tell(f"[{number}/{len(plan.cases)}] {case.name}: {case.flops / 1e9:.3g} GFLOP")
        with Pool(core=plan.core) as pool:
            _CaseRun(plan, results, case, pool).run()
        results.write(summarise(results, suite))


@dataclass
class _CaseRun:
    plan: Plan
    results: Results
    case: Case
    pool: Pool

    @cached_property
    def kernel(self) -> str:
        return kernel_text(self.case)

    @cached_property
    def function(self) -> Task:
        return whole_function(self.pool, self.kernel, self.case.name)

    def run(self) -> None:
        wanted = self._wanted()
        live = self._live(wanted)
        if not live or not self._unfinished_passes(live):
            return
        if not self._candidates_are_legal():
            tell("  the spaces have changed since it was tuned: begun again")
            self.results.forget(self.case.name)
            live = self._live(wanted)
        with self._loading(live) as loading:
            if self.plan.build_core is not None:
                loading.start(self.plan.build_core)
            self._tune([name for name in AGENTS if name in wanted])
            if UNTUNED in wanted:
                self._time_untuned()
            ours = self._our_kernels([name for name in OURS if name in self._live(wanted)])
            peers = self._settled(loading.peers(self.plan.core))
            self._time([*ours, *peers], self._unfinished_passes(self._live(wanted)))

    def _candidates_are_legal(self) -> bool:
        tuned = self.results.of(Tuned, self.case.name).values()
        return all(are_legal(self.pool, self.kernel, cell.candidates) for cell in tuned)

    def _wanted(self) -> list[str]:
        """Those asked for and those timed before: what is compared is timed in the same passes."""
        before = {name for made in self.results.passes(self.case.name).values() for name in made.seconds}
        return [name for name in ALL_CONTENDERS if name in self.plan.contenders or name in before]

    def _live(self, wanted: Sequence[str]) -> list[str]:
        """Those that take part in passes as far as is known. One that was not installed may be by now."""
        absent = self.results.of(Absent, self.case.name)
        out = {name for name, cell in absent.items() if cell.kind != "not_installed"}
        out |= set(self.results.of(Slow, self.case.name))
        out |= {name for name in absent if name not in OURS and self._environment(name) is None}
        return [name for name in wanted if name not in out]

    def _unfinished_passes(self, live: Sequence[str]) -> list[int]:
        done = self.results.passes(self.case.name)
        return [n for n in range(self.plan.passes) if n not in done or not set(live) <= set(done[n].seconds)]

    def _tune(self, agents: Sequence[str]) -> None:
        known = {*self.results.of(Tuned, self.case.name), *self.results.of(Absent, self.case.name)}
        for agent in agents:
            if agent in known:
                continue
            settings = Settings(agent, self.plan.trials, self.plan.seconds, seed=self.plan.seed, weights=None)
            try:
                made = tune_case(self.case.name, self.kernel, settings)
            except HarlError as error:
                self._absent(agent, "failed", str(error))
                continue
            tell(f"  {agent}: {made.trials} trials in {made.seconds:.1f} s, {made.failures} failed")
            self.results.add(made)

    def _time_untuned(self) -> None:
        """Within the cap, before the passes: most kernels as they come are far too slow for these."""
        known = {*self.results.of(Slow, self.case.name), *self.results.of(Absent, self.case.name)}
        if UNTUNED in known or self.results.passes(self.case.name):
            return
        try:
            seconds = time_untuned(self.pool, self.function)
        except ContenderError as error:
            self._absent(UNTUNED, "failed", str(error))
            return
        if seconds is None:
            self.results.add(Slow(self.case.name, UNTUNED, slower_than=UNTUNED_CAP_SECONDS))
        elif seconds > UNTUNED_PASS_SECONDS:
            self.results.add(Slow(self.case.name, UNTUNED, seconds))

    def _our_kernels(self, names: Sequence[str]) -> list[OurKernel]:
        tuned = self.results.of(Tuned, self.case.name)
        kernels = []
        for name in names:
            candidates = tuned[name].candidates if name in tuned else {}
            try:
                kernels.append(our_kernel(name, self.pool, self.kernel, self.function, candidates))
            except ContenderError as error:
                self._absent(name, "failed", str(error))
        return kernels

    def _loading(self, live: Sequence[str]) -> Loading:
        """The live peers, not yet loaded; those without an environment are noted."""
        environments = []
        for name in (name for name in CONTENDERS if name in live):
            environment = self._environment(name)
            if environment is None:
                reason = self.plan.missing.get(CONTENDERS[name].environment, "It is not installed.")
                self._absent(name, "not_installed", reason)
            else:
                environments.append((name, environment))
        return Loading(self.case, self.kernel, environments, self.plan.store, self._peer_known)

    def _peer_known(self, name: str, outcome: Peer | Unavailable) -> None:
        if isinstance(outcome, Unavailable):
            self._absent(name, "unsupported" if outcome.unsupported else "failed", outcome.reason)
            return
        self.results.add(Loaded(self.case.name, name, outcome.build_seconds, outcome.version))

    def _settled(self, peers: Sequence[Peer]) -> list[Peer]:
        """Those whose calls are short enough for passes."""
        quick = []
        for peer in peers:
            try:
                peer.settle(self.plan.core)
            except ContenderError as error:
                self._absent(peer.name, "failed", str(error))
                continue
            if peer.is_slow:
                self.results.add(Slow(self.case.name, peer.name, peer.call_seconds))
                peer.close()
            else:
                quick.append(peer)
        return quick

    def _environment(self, name: str) -> Path | None:
        return self.plan.environments.get(CONTENDERS[name].environment)

    def _time(self, contenders: Sequence[Contender], passes: Sequence[int]) -> None:
        left = list(contenders)
        for number in passes:
            made = timed_pass(left, number, self.plan.passes, self.pool.peak)
            for name, reason in made.lost.items():
                self._absent(name, "failed", reason)
            left = [contender for contender in left if contender.name not in made.lost]
            if not left:
                return
            seconds = {name: [rounded(s) for s in taken] for name, taken in made.seconds.items()}
            self.results.add(Pass(self.case.name, number, made.peaks, made.attempts, made.disturbed, seconds))
            self._tell_pass(number, seconds)

    def _tell_pass(self, number: int, seconds: dict[str, list[float]]) -> None:
        rates = {name: self.case.flops / sorted(of)[len(of) // 2] / 1e9 for name, of in seconds.items()}
        tell(f"  pass {number}: " + ", ".join(f"{n} {rates[n]:.1f}" for n in ALL_CONTENDERS if n in rates))

    def _absent(self, name: str, kind: Reason, reason: str) -> None:
        short = (reason.strip().splitlines() or ["no reason was given"])[0]
        tell(f"  {name}: {kind}: {short}")
        self.results.add(Absent(self.case.name, name, kind, short))


def tell(line: str) -> None:
    """News of the run, which are no result."""
    print(line, file=sys.stderr, flush=True)
