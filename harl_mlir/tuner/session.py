"""`tune`: a kernel file in, a schedule library and a database full of measurements out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import HarlError, InputError, Place
from harl_mlir.files import Output, read_mlir
from harl_mlir.interrupts import heeded, interrupts_held
from harl_mlir.measure.measurement import FailureKind
from harl_mlir.measure.pool import Pool, WorkerError
from harl_mlir.processor import this_processor
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
from harl_mlir.tuner.plan import Plan, plan_script, plan_sketches
from harl_mlir.tuner.progress import Listener, Planned, ignore
from harl_mlir.tuner.recorder import Recorder
from harl_mlir.tuner.reproducer import reproducer_path, write_reproducer
from harl_mlir.tuner.request import Request
from harl_mlir.tuner.result import Result, Status, TaskResult
from harl_mlir.tuner.search import Search
from harl_mlir.tuner.stopwatch import Stopwatch
from harl_mlir.tuner.walks import Walker, load_walker, walk_tasks


def tune(request: Request, listener: Listener = ignore, elapsed: float = 0.0) -> Result:
    """Tune a kernel file and write what was found.

    A KeyboardInterrupt during the search ends it early: the best so far is written and the result's
    status is `interrupted`. If the database fails on the way, the best so far is written too, and if an
    output cannot be written, what was measured is in the result; the status of both is `error`.

    Args:
        request: the kernel, the budget, and where the results go.
        listener: told of every step; it runs in this thread.
        elapsed: seconds of the budget that were used up before this call (process start, imports).

    Raises:
        HarlError: the input, an output or the database was refused before anything was measured.
    """
    with Pool(accuracy=request.settings.accuracy) as pool:
        return tune_with(pool, request, listener, elapsed)


def tune_with(pool: Pool, request: Request, listener: Listener = ignore, elapsed: float = 0.0) -> Result:
    """As `tune`, measured by a pool of the caller's, whose accuracy must be that of the settings."""
    settings = request.settings
    budget = Budget(settings.trials, settings.seconds, elapsed)
    watch = Stopwatch(elapsed)
    with watch.part("planning"):
        watch.note_reading()
        kernel = read_mlir(request.kernel)
        script = read_mlir(request.script) if request.script else None
        library = Output(request.library, "--library")
        output = Output(request.output, "-o") if request.output else None
        policy = _load_policy(settings)
        database = Database(request.database) if settings.trials else None
    with database or nullcontext():
        with watch.part("planning"):
            plan = _plan(request, kernel, script, pool)
        listener(Planned(tuple(state.task for state in plan.states), plan.skipped))
        recorder = _recorder(request, database) if database else None
        run = _Run(request, kernel, plan, pool, recorder, watch, policy)
        run.search(budget, listener)
        with watch.part("writing"):
            run.write(library, output)
        return run.result()


@dataclass(frozen=True)
class _Policy:
    """What the agent learned beforehand, where it did."""

    pretrained: Pretrained | None = None
    walker: Walker | None = None


def _load_policy(settings: Settings) -> _Policy:
    if settings.walks_by is not None:
        return _Policy(walker=load_walker(settings.walks_by, settings.seed))
    if settings.agent == "harl" and settings.trials:
        return _Policy(load_weights(settings.weights))
    return _Policy()


def _plan(request: Request, kernel: str, script: str | None, pool: Pool) -> Plan:
    pool.start()
    if request.settings.trials:
        preload(request.settings.agent)
    if script is not None:
        return plan_script(request, kernel, script, pool)
    return plan_sketches(request, kernel, pool, this_processor())


def _recorder(request: Request, database: Database) -> Recorder:
    settings = request.settings
    environment = this_environment(this_processor(), settings.threads, LOWERING_VERSION, settings.accuracy)
    return Recorder(database, environment, settings.agent, settings.seed)


@dataclass
class _Run:
    """A search that may end early in several ways, each of which leaves a result to write."""

    request: Request
    kernel: str
    plan: Plan
    pool: Pool
    recorder: Recorder | None
    watch: Stopwatch
    policy: _Policy
    interrupted: bool = False
    error: HarlError | None = None
    written: tuple[Path, ...] = ()

    def search(self, budget: Budget, listener: Listener) -> None:
        """Walk where the agent does, and spend the budget."""
        states, settings = self.plan.states, self.request.settings
        try:
            if self.policy.walker is not None:
                with self.watch.part("search"):
                    walk_tasks(states, self.policy.walker, this_processor(), settings.accuracy)
            if self.recorder is None:
                decide(states, self.pool, budget, self.watch, check=settings.check)
            else:
                search = Search(states, self.pool, self.recorder, budget, listener, self.watch)
                search.run(self._agent)
        except KeyboardInterrupt:
            heeded()
            self.interrupted = True
        except WorkerError as error:
            self.error = _internal(error)
        if self.recorder is not None:
            self.error = self.error or self.recorder.error

    def _agent(self, problems: Sequence[Problem]) -> Agent:
        settings = self.request.settings
        constants = preset(settings.trials)
        return make_agent(settings.agent, problems, settings.seed, constants, self.policy.pretrained)

    def write(self, library: Output, output: Output | None) -> None:
        """Write the outputs. Interrupts end the search, not this, unless three come meanwhile."""
        with interrupts_held() as held:
            try:
                self._write(library, output)
            except WorkerError as error:
                self.error = self.error or _internal(error)
            except HarlError as error:
                self.error = self.error or error
        self.interrupted = self.interrupted or held.count > 0

    def _write(self, library: Output, output: Output | None) -> None:
        schedules = self._schedules()
        if schedules is None:
            if not self.interrupted:
                self.error = self.error or self._nothing_ran()
            return
        request = self.request
        texts = [(library, schedules)]
        if output is not None:
            file, shapes = str(request.kernel), dict(request.shapes)
            applied = self.pool.apply(self.kernel, file, schedules, request.function, shapes)
            texts.append((output, applied.text))
        for target, text in texts:
            target.write(text)
            self.written = (*self.written, target.path)
            if target is library:
                self.watch.note_decided()

    def _schedules(self) -> str | None:
        """The library, or the user's script with its knobs selected; None leaves the files as they are.

        Where no candidate was chosen, a library without schedules is the result of a complete run.
        """
        states = self.plan.states
        chosen = [(state, candidate) for state in states if (candidate := state.choice()) is not None]
        if not chosen and (self.interrupted or self.error or self.request.script):
            return None
        if self.request.script is None:
            entries = [(state.task, candidate) for state, candidate in chosen]
            return self.pool.library(entries, tunable=self.request.tunable)
        state, candidate = chosen[0]
        return self.pool.select(state.script or "", str(self.request.script), candidate.values)

    def _nothing_ran(self) -> InputError:
        """Nothing a user's script leaves open runs on the kernel."""
        states = self.plan.states
        measured = [m.failure for state in states for m in state.known.values() if m.failure]
        measured += [state.decided.failure for state in states if state.decided and state.decided.failure]
        first = f" ({measured[0].kind}: {measured[0].message.strip().splitlines()[0]})" if measured else ""
        return InputError(
            f"none of the {len(measured)} choices tried of this script runs on the kernel{first}; correct it",
            Place(str(self.request.script)),
        )

    def result(self) -> Result:
        """How the run came out."""
        tasks = tuple(state.result() for state in self.plan.states)
        failures: Counter[FailureKind] = Counter()
        for task in tasks:
            failures.update(task.failures)
        path = reproducer_path(self.request.database, self.request.kernel)
        status: Status = "interrupted" if self.interrupted else "ok"
        return Result(
            status="error" if self.error else status,
            tasks=tasks,
            skipped=(*self.plan.skipped, *(_left_alone(task) for task in tasks if task.chosen is None)),
            error=self.error,
            written=self.written,
            reproducer=write_reproducer(self.plan.states, self.pool, path),
            failures=dict(failures),
            spent=self.watch.spent(),
        )


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
