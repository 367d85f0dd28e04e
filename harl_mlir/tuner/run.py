"""One run of the tuner on a kernel's text: tasks, search, and the schedules that come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import HarlError, InputError, Place
from harl_mlir.interrupts import heeded, interrupts_held
from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.bench import Bench
from harl_mlir.measure.measurement import FailureKind
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.runners import LOCAL, PluggedRunner
from harl_mlir.plugins import PluginError, installed
from harl_mlir.processor import Processor, this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import this_environment
from harl_mlir.search.agent import Agent, Problem
from harl_mlir.search.preload import preload
from harl_mlir.search.pretrained import Pretrained, load_weights
from harl_mlir.search.registry import make_agent
from harl_mlir.search.settings import preset
from harl_mlir.settings import Settings
from harl_mlir.tasks.analysis import Skipped
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.decide import decide
from harl_mlir.tuner.job import Job
from harl_mlir.tuner.plan import Plan, plan_script, plan_sketches
from harl_mlir.tuner.progress import Listener, Planned
from harl_mlir.tuner.recorder import Recorder
from harl_mlir.tuner.result import Result, Status, TaskResult
from harl_mlir.tuner.search import Search
from harl_mlir.tuner.stopwatch import Stopwatch
from harl_mlir.tuner.walks import Walker, load_walker, walk_tasks


@dataclass(frozen=True)
class Policy:
    """What the agent learned beforehand, where it did."""

    pretrained: Pretrained | None = None
    walker: Walker | None = None


def load_policy(settings: Settings) -> Policy:
    """What the agent of these settings learned beforehand.

    Raises:
        InputError: its weights are missing, damaged, or of another version.
    """
    if settings.walks_by is not None:
        return Policy(walker=load_walker(settings.walks_by, settings.seed))
    if settings.agent == "harl" and settings.trials:
        return Policy(load_weights(settings.weights))
    return Policy()


@contextmanager
def begun(
    job: Job, pool: Pool, database: Database | None, policy: Policy, watch: Stopwatch, listener: Listener
) -> Iterator[Run]:
    """A run that knows its tasks and their spaces, and has measured nothing yet.

    `database` is None for a run that measures nothing.

    Raises:
        InputError: the kernel or the script was refused, or nothing in it can be tuned.
        PluginError: a plug-in's runner cannot be made.
    """
    with ExitStack() as stack:
        with watch.part("planning"):
            pool.start()
            if job.settings.trials:
                preload(job.settings.agent)
            installed("sketch")  # reading metadata takes a while, in which the worker loads
            bench, processor = _bench(job.settings, pool, stack)
            plan = _plan(job, pool, processor)
        listener(Planned(tuple(state.task for state in plan.states), plan.skipped))
        recorder = _recorder(job.settings, database, processor) if database else None
        yield Run(job, plan, pool, bench, processor, recorder, watch, policy)


def _bench(settings: Settings, pool: Pool, stack: ExitStack) -> tuple[Bench, Processor]:
    """Who measures, and what on; a plug-in's runner is closed with the stack."""
    if settings.runner == LOCAL:
        return pool, this_processor()
    runner = PluggedRunner(settings.runner, pool)
    stack.callback(runner.close)
    return runner, runner.processor


def _plan(job: Job, pool: Pool, processor: Processor) -> Plan:
    if job.script is not None:
        return plan_script(job, job.script, pool)
    return plan_sketches(job, pool, processor)


def _recorder(settings: Settings, database: Database, processor: Processor) -> Recorder:
    if settings.runner != LOCAL:
        # How it was measured is a part of where: two runners' times are never taken for each other's.
        processor = replace(processor, name=f"{processor.name} by {settings.runner}")
    environment = this_environment(processor, settings.threads, LOWERING_VERSION, settings.accuracy)
    return Recorder(database, environment, settings.agent, settings.seed)


@dataclass
class Run:
    """A search that may end early in several ways, each of which leaves schedules to take.

    Attributes:
        bench: who measures; `processor` is what on.
        interrupted: a KeyboardInterrupt ended it early.
        error: why it could not be completed, or None.
    """

    job: Job
    plan: Plan
    pool: Pool
    bench: Bench
    processor: Processor
    recorder: Recorder | None
    watch: Stopwatch
    policy: Policy
    interrupted: bool = False
    error: HarlError | None = None

    def search(self, budget: Budget, listener: Listener) -> None:
        """Walk where the agent does, and spend the budget."""
        states, settings = self.plan.states, self.job.settings
        try:
            if self.policy.walker is not None:
                with self.watch.part("search"):
                    walk_tasks(states, self.policy.walker, self.processor, settings.accuracy)
            if self.recorder is None:
                decide(states, self.pool, budget, self.watch, check=settings.check)
            else:
                search = Search(states, self.bench, self.recorder, budget, listener, self.watch)
                search.run(self._agent)
        except KeyboardInterrupt:
            heeded()
            self.interrupted = True
        except WorkerError as error:
            self.error = _internal(error)
        except PluginError as error:
            self.error = error
        if self.recorder is not None:
            self.error = self.error or self.recorder.error

    def _agent(self, problems: Sequence[Problem]) -> Agent:
        settings = self.job.settings
        constants = preset(settings.trials)
        return make_agent(settings.agent, problems, settings.seed, constants, self.policy.pretrained)

    @contextmanager
    def concluding(self) -> Iterator[None]:
        """What is done inside takes or writes the schedules.

        An interrupt ends the search, not this, unless three come meanwhile. An error becomes the run's.
        """
        with self.watch.part("writing"), interrupts_held() as held:
            try:
                yield
            except WorkerError as error:
                self.error = self.error or _internal(error)
            except HarlError as error:
                self.error = self.error or error
        self.interrupted = self.interrupted or held.count > 0

    def schedules(self) -> str | None:
        """The library, or the user's script with its knobs selected; None where there is none to take.

        Where no candidate was chosen, a library without schedules is the result of a complete run.
        """
        states = self.plan.states
        chosen = [(state, candidate) for state in states if (candidate := state.choice()) is not None]
        if not chosen and (self.interrupted or self.error or self.job.script is not None):
            if not self.interrupted:
                self.error = self.error or self._nothing_ran()
            return None
        if self.job.script is None:
            entries = [(state.task, candidate) for state, candidate in chosen]
            return self.pool.library(entries, tunable=self.job.tunable, processor=self.processor)
        [(_, candidate)] = chosen
        return self.pool.select(self.job.script, self.job.script_name, candidate.values)

    def module(self, schedules: str) -> str:
        """The kernel with the schedules applied."""
        job = self.job
        return self.pool.apply(job.kernel, job.name, schedules, job.function, dict(job.shapes)).text

    def _nothing_ran(self) -> InputError:
        """Nothing a user's script leaves open runs on the kernel."""
        states = self.plan.states
        measured = [m.failure for state in states for m in state.known.values() if m.failure]
        measured += [state.decided.failure for state in states if state.decided and state.decided.failure]
        first = f" ({measured[0].kind}: {measured[0].message.strip().splitlines()[0]})" if measured else ""
        return InputError(
            f"none of the {len(measured)} choices tried of this script runs on the kernel{first}; correct it",
            Place(self.job.script_name),
        )

    def result(self) -> Result:
        """How the run came out, but for files."""
        tasks = tuple(replace(r, record=self._record(r)) for r in (s.result() for s in self.plan.states))
        failures: Counter[FailureKind] = Counter()
        for task in tasks:
            failures.update(task.failures)
        status: Status = "interrupted" if self.interrupted else "ok"
        return Result(
            status="error" if self.error else status,
            tasks=tasks,
            skipped=(*self.plan.skipped, *(_left_alone(task) for task in tasks if task.chosen is None)),
            error=self.error,
            failures=dict(failures),
            spent=self.watch.spent(),
        )

    def _record(self, result: TaskResult) -> int | None:
        return self.recorder.number(result.task, result.chosen) if self.recorder else None


def _internal(error: WorkerError) -> HarlError:
    last = (str(error).strip().splitlines() or ["no message"])[-1]
    what = f"internal error in the measuring process ({last})"
    internal = HarlError(f"{what}; run it again with --debug and report it")
    internal.__cause__ = error
    return internal


def _left_alone(task: TaskResult) -> Skipped:
    if task.refusal is not None:
        message = (task.refusal.message.strip().splitlines() or [""])[0]
        reason = f"its schedule is not used ({task.refusal.kind}: {message})"
    elif task.trials + task.stored == 0:
        reason = "the budget ended before it was tried"
    elif sum(task.failures.values()) == task.trials and not task.stored:
        reason = "every candidate failed"
    else:
        reason = "no candidate was faster than the untuned kernel"
    return Skipped(task.task.anchor_op.name, task.task.place, reason)
