"""A run of the benchmark: case by case, every finished cell kept at once, what is there already left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from benchmarks.kernels import kernel_text
from benchmarks.loading import Loading
from benchmarks.ours import (
    AGENTS,
    HARL,
    ONE_THREAD,
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
from benchmarks.passes import ContenderError
from benchmarks.peer_process import CONTENDERS
from benchmarks.processes import Processes
from benchmarks.results import Absent, Results, Slow, Tuned
from benchmarks.suite import Case
from benchmarks.summary import summarise
from benchmarks.timing import CaseTiming, tell
from harl_mlir.codegen.openmp import check_threads
from harl_mlir.errors import HarlError, UsageError
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
        core: the one everything is timed on that has one thread.
        build_core: where peers are built meanwhile; None where there is no other core. Cases of several
            threads use it, too.
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

    @property
    def cores(self) -> tuple[int, ...]:
        """Those there are, the one for one thread first."""
        return (self.core,) if self.build_core is None else (self.core, self.build_core)


def run(plan: Plan, results: Results, suite: Sequence[Case]) -> None:
    """Run what is not there yet."""
    with Processes(keeps=True) as processes:
        _run_cases(plan, results, suite, processes)


def _run_cases(plan: Plan, results: Results, suite: Sequence[Case], processes: Processes) -> None:
    for number, case in enumerate(plan.cases, start=1):
        tell(f"[{number}/{len(plan.cases)}] {case.name}: {amount(case)}")
        cores = plan.cores[: case.threads]
        os.sched_setaffinity(0, set(cores))
        try:
            check_threads(case.threads)
        except UsageError as error:
            tell(f"  left out: {error}")
            continue
        with ExitStack() as opened:
            pools = [
                opened.enter_context(Pool(core=plan.core, accuracy=case.accuracy, threads=threads))
                for threads in dict.fromkeys((case.threads, 1))
            ]
            _CaseRun(plan, results, case, cores, pools[0], pools[-1], processes).run()
        results.write(summarise(results, suite))


def is_asked_for(name: str, case: Case) -> bool:
    """Whether a contender takes part in a case as far as its kind and its threads say."""
    if name == ONE_THREAD:
        return case.threads > 1
    return name not in CONTENDERS or CONTENDERS[name].is_asked_for(case.fields)


def amount(case: Case) -> str:
    """What a case does, for people."""
    if case.flops:
        return f"{case.flops / 1e9:.3g} GFLOP"
    return f"{(case.read_bytes + case.written_bytes) / 1e6:.3g} MB"


@dataclass
class _CaseRun:
    plan: Plan
    results: Results
    case: Case
    cores: tuple[int, ...]
    pool: Pool
    one_thread: Pool
    processes: Processes

    @cached_property
    def timing(self) -> CaseTiming:
        return CaseTiming(self.case, self.results, self.cores, self.plan.passes)

    @cached_property
    def kernel(self) -> str:
        return kernel_text(self.case)

    @cached_property
    def function(self) -> Task:
        return whole_function(self.pool, self.kernel, self.case.name)

    def run(self) -> None:
        wanted = self._wanted()
        live = self._live(wanted)
        if not live or not self.timing.unfinished(live):
            return
        live = self._with_a_function(wanted, live)
        if not self._candidates_are_legal():
            tell("  the spaces have changed since it was tuned: begun again")
            self.results.forget(self.case.name)
            live = self._live(wanted)
        with self._loading(live) as loading:
            build_core = self.plan.build_core
            if build_core is not None and build_core not in self.cores:
                loading.start(build_core)
            self._tune([name for name in (*AGENTS, ONE_THREAD) if name in wanted])
            if UNTUNED in wanted:
                self._time_untuned()
            ours = self._our_kernels([name for name in OURS if name in self._live(wanted)])
            peers = self.timing.settled(loading.peers(self.cores))
            left = self.timing.unfinished(self._live(wanted))
            self.timing.time([*ours, *peers], left, self.pool.peak, self._bandwidths(), AGENTS)

    def _bandwidths(self) -> list[Callable[[], float]]:
        """Probes of the memory, or of the cache, that the case's arguments and result are in.

        None where they do not limit it; else by all its threads, and where these are several by one.
        """
        if self.case.flops:
            return []
        pools = [self.pool] if self.case.threads == 1 else [self.pool, self.one_thread]
        return [partial(pool.bandwidth, self.case.read_bytes, self.case.written_bytes) for pool in pools]

    def _with_a_function(self, wanted: Sequence[str], live: list[str]) -> list[str]:
        """Those that take part still, once ours are known to have something to work on."""
        try:
            assert self.function
        except HarlError as error:
            for name in OURS:
                if name in live:
                    self.timing.absent(name, "failed", str(error))
            return self._live(wanted)
        return live

    def _candidates_are_legal(self) -> bool:
        tuned = self.results.of(Tuned, self.case.name).values()
        return all(are_legal(self._pool_of(c.contender), self.kernel, c.candidates) for c in tuned)

    def _pool_of(self, contender: str) -> Pool:
        return self.one_thread if contender == ONE_THREAD else self.pool

    def _wanted(self) -> list[str]:
        """Those asked for and those timed before: what is compared is timed in the same passes."""
        before = {name for made in self.results.passes(self.case.name).values() for name in made.seconds}
        return [
            name
            for name in ALL_CONTENDERS
            if name in before or (name in self.plan.contenders and is_asked_for(name, self.case))
        ]

    def _live(self, wanted: Sequence[str]) -> list[str]:
        """Those that take part in passes as far as is known. One that was not installed may be by now."""
        absent = self.results.of(Absent, self.case.name)
        out = {name for name, cell in absent.items() if cell.kind != "not_installed"}
        out |= set(self.results.of(Slow, self.case.name))
        out |= {name for name in absent if name not in OURS and self._environment(name) is None}
        return [name for name in wanted if name not in out]

    def _tune(self, contenders: Sequence[str]) -> None:
        known = {*self.results.of(Tuned, self.case.name), *self.results.of(Absent, self.case.name)}
        for contender in contenders:
            if contender in known:
                continue
            settings = Settings(
                HARL if contender == ONE_THREAD else contender,
                self.plan.trials,
                self.plan.seconds,
                seed=self.plan.seed,
                weights=None,
                accuracy=self.case.accuracy,
                threads=self._pool_of(contender).threads,
            )
            try:
                made = tune_case(self.case.name, self.kernel, settings, contender)
            except HarlError as error:
                self.timing.absent(contender, "failed", str(error))
                continue
            tell(f"  {contender}: {made.trials} trials in {made.seconds:.1f} s, {made.failures} failed")
            self.results.add(made)

    def _time_untuned(self) -> None:
        """Within the cap, before the passes: most kernels as they come are far too slow for these."""
        known = {*self.results.of(Slow, self.case.name), *self.results.of(Absent, self.case.name)}
        if UNTUNED in known or self.results.passes(self.case.name):
            return
        try:
            seconds = time_untuned(self.pool, self.function)
        except ContenderError as error:
            self.timing.absent(UNTUNED, "failed", str(error))
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
                kernels.append(our_kernel(name, self._pool_of(name), self.kernel, self.function, candidates))
            except ContenderError as error:
                self.timing.absent(name, "failed", str(error))
        return kernels

    def _loading(self, live: Sequence[str]) -> Loading:
        """The live peers, not yet loaded; those without an environment are noted."""
        environments = []
        for name in (name for name in CONTENDERS if name in live):
            environment = self._environment(name)
            if environment is None:
                reason = self.plan.missing.get(CONTENDERS[name].environment, "It is not installed.")
                self.timing.absent(name, "not_installed", reason)
            else:
                environments.append((name, environment))
        return Loading(
            self.case, self.kernel, environments, self.plan.store, self.timing.peer_known, self.processes
        )

    def _environment(self, name: str) -> Path | None:
        return self.plan.environments.get(CONTENDERS[name].environment)
