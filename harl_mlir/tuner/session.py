"""`tune`: a kernel file in, a schedule library and a database full of measurements out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import HarlError
from harl_mlir.files import Output, read_mlir
from harl_mlir.measure.measurement import FailureKind
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import this_environment
from harl_mlir.search.agent import Agent, Problem
from harl_mlir.search.registry import make_agent
from harl_mlir.tasks.analysis import Skipped
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.plan import Plan, plan_script, plan_sketches
from harl_mlir.tuner.progress import Listener, Planned, ignore
from harl_mlir.tuner.recorder import Recorder
from harl_mlir.tuner.reproducer import reproducer_path, write_reproducer
from harl_mlir.tuner.request import Request
from harl_mlir.tuner.result import Result, TaskResult
from harl_mlir.tuner.search import Search
from harl_mlir.tuner.state import TaskState


def tune(request: Request, listener: Listener = ignore, elapsed: float = 0.0) -> Result:
    """Tune a kernel file and write what was found.

    A KeyboardInterrupt during the search ends it early: the best so far is written and the result's
    status is `interrupted`. If the database fails on the way, the best so far is written too and the
    status is `error`.

    Args:
        request: the kernel, the budget, and where the results go.
        listener: told of every step; it runs in this thread.
        elapsed: seconds of the budget that were used up before this call (process start, imports).

    Raises:
        HarlError: the input, an output or the database was refused before anything was measured,
            or an output could not be written.
    """
    budget = Budget(request.settings.trials, request.settings.seconds, elapsed)
    kernel = read_mlir(request.kernel)
    script = read_mlir(request.script) if request.script else None
    library = Output(request.library, "--library")
    output = Output(request.output, "-o") if request.output else None
    with Database(request.database) as database, Pool() as pool:
        plan = _plan(request, kernel, script, pool)
        listener(Planned(tuple(state.task for state in plan.states), plan.skipped))
        recorder = _recorder(request, database)
        interrupted = _search(request, plan, pool, recorder, budget, listener)
        try:
            written = _write(request, kernel, plan.states, pool, library, output)
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            written = _write(request, kernel, plan.states, pool, library, output)
        return _result(request, plan, pool, recorder, written, interrupted)


def _plan(request: Request, kernel: str, script: str | None, pool: Pool) -> Plan:
    if script is not None:
        return plan_script(request, kernel, script, pool)
    return plan_sketches(request, kernel, pool, this_processor())


def _recorder(request: Request, database: Database) -> Recorder:
    settings = request.settings
    environment = this_environment(this_processor(), settings.threads, LOWERING_VERSION)
    return Recorder(database, environment, settings.agent, settings.seed)


def _search(
    request: Request, plan: Plan, pool: Pool, recorder: Recorder, budget: Budget, listener: Listener
) -> bool:
    """Run the search; whether it was interrupted."""
    settings = request.settings

    def agent(problems: Sequence[Problem]) -> Agent:
        return make_agent(settings.agent, problems, settings.seed)

    try:
        Search(plan.states, pool, recorder, budget, listener).run(agent)
    except KeyboardInterrupt:
        return True
    return False


def _write(
    request: Request,
    kernel: str,
    states: Sequence[TaskState],
    pool: Pool,
    library: Output,
    output: Output | None,
) -> tuple[Path, ...]:
    """Write the library and, if asked for, the kernel with it applied; nothing if nothing was chosen."""
    chosen = [(state, candidate) for state in states if (candidate := state.choice()) is not None]
    if not chosen:
        return ()
    state, candidate = chosen[0]
    if state.script is not None:
        text = pool.select(state.script, str(request.script), candidate.values)
    else:
        text = pool.library([(s.task, c) for s, c in chosen], tunable=request.tunable)
    library.write(text)
    if output is None:
        return (library.path,)
    applied = pool.apply(kernel, str(request.kernel), text, request.function, dict(request.shapes))
    output.write(applied.text)
    return library.path, output.path


def _result(
    request: Request, plan: Plan, pool: Pool, recorder: Recorder, written: tuple[Path, ...], interrupted: bool
) -> Result:
    tasks = tuple(state.result() for state in plan.states)
    failures: Counter[FailureKind] = Counter()
    for task in tasks:
        failures.update(task.failures)
    result = Result(
        status="interrupted" if interrupted else "ok",
        tasks=tasks,
        skipped=(*plan.skipped, *(_left_alone(task) for task in tasks if task.chosen is None)),
        written=written,
        reproducer=write_reproducer(plan.states, pool, reproducer_path(request.database, request.kernel)),
        failures=dict(failures),
    )
    error: HarlError | None = recorder.error
    return replace(result, status="error", error=error) if error else result


def _left_alone(task: TaskResult) -> Skipped:
    if task.trials + task.stored == 0:
        reason = "the budget ended before it was tried"
    elif sum(task.failures.values()) == task.trials and not task.stored:
        reason = "every candidate failed"
    else:
        reason = "no candidate was faster than the untuned kernel"
    return Skipped(task.task.anchor_op.name, task.task.place, reason)
