"""`harl-mlir tune`: find fast schedules for a kernel."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harl_mlir.cli.display import make_display
from harl_mlir.cli.numbers import duration, first_line, plain, speed_up
from harl_mlir.cli.terminal import DONE, INTERRUPTED, REFUSED, Outcome, Terminal, skipped_objects
from harl_mlir.cli.walks import explain, walk_objects
from harl_mlir.clock import seconds_since_start
from harl_mlir.errors import UsageError
from harl_mlir.files import default_database
from harl_mlir.search.registry import LOOPTUNE
from harl_mlir.tuner import Request, Result, Settings, Spent, TaskResult, tune

_EXIT_CODES = {"ok": DONE, "error": REFUSED, "interrupted": INTERRUPTED}


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Tune, print the closing summary, and say how it went."""
    request = _request(options)
    with make_display(live=request.settings.trials > 0) as display:
        result = tune(request, display, elapsed=seconds_since_start())
    if options.explain:
        explain(result.tasks, terminal)
    _summarise(result, request, terminal)
    return Outcome(
        status=result.status,
        fields={
            "wall_seconds": round(seconds_since_start(), 3),
            **_spent_fields(result.spent),
            "tasks": [_task_object(task, explained=options.explain) for task in result.tasks],
            "skipped": skipped_objects(result.skipped),
            "written": [str(path) for path in result.written],
            "reproducer": str(result.reproducer.path) if result.reproducer else None,
        },
        error=result.error,
        exit_code=_EXIT_CODES[result.status],
    )


def _request(options: Namespace) -> Request:
    if options.explain and options.agent != LOOPTUNE:
        raise UsageError(f"the agent {options.agent} does not walk; use --explain with --agent {LOOPTUNE}")
    settings = Settings(
        agent=options.agent,
        trials=options.trials,
        seconds=options.seconds,
        threads=options.threads,
        seed=options.seed,
        weights=options.weights,
        accuracy=options.accuracy,
        check=options.check,
        runner=options.runner,
    )
    return Request(
        kernel=options.kernel,
        library=options.library or Path(f"{options.kernel.stem}.schedules.mlir"),
        database=options.db or default_database(),
        output=options.output,
        function=options.function,
        shapes=tuple(options.shape),
        script=options.schedule,
        tunable=options.tunable,
        settings=settings,
    )


def _spent_fields(spent: Spent) -> dict[str, float | None]:
    """`PART_seconds` for each part of the run."""
    return {f"{name}_seconds": None if v is None else round(v, 3) for name, v in asdict(spent).items()}


def _summarise(result: Result, request: Request, terminal: Terminal) -> None:
    if result.status == "interrupted":
        terminal.result("interrupted: the best so far is kept")
    timed = request.settings.trials > 0
    for task in result.tasks:
        terminal.result(_task_line(task) if timed else _untimed_line(task))
    for skipped in result.skipped:
        terminal.result(f"left alone: {skipped.op} at {skipped.place}: {skipped.reason}")
    if result.failures:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(result.failures.items()))
        terminal.result(f"failed candidates: {counts}")
    if result.reproducer:
        path, failure = result.reproducer.path, result.reproducer.failure
        terminal.result(f"to see one again: sh {path} ({failure.kind}: {first_line(failure.message)})")
    for path in result.written:
        terminal.result(f"wrote {path}")
    if not result.written and result.error is None:
        terminal.result("wrote nothing: there is no schedule to write")
    if timed:
        terminal.result(f"measurements are in {request.database}; {seconds_since_start():.1f} s in all")
    else:
        decided = f"decided in {plain(result.spent.decide, '.2f')} s, " if result.written else ""
        terminal.result(f"nothing was timed; {decided}{seconds_since_start():.2f} s in all")


def _task_line(task: TaskResult) -> str:
    how = f"sketch {task.chosen.sketch}" if task.chosen else "left as it was"
    default = speed_up(task.default_seconds, None, task.best_seconds)
    untuned = speed_up(task.baseline_seconds, task.baseline_slower_than, task.best_seconds)
    return (
        f"{_name(task)}: {duration(task.best_seconds)}, "
        f"{plain(task.gflops)} GFLOP/s, {untuned} over untuned, {default} over default, "
        f"{task.trials} trials, {sum(task.failures.values())} failed, {how}"
        + (f", record {task.record}" if task.record else "")
    )


def _untimed_line(task: TaskResult) -> str:
    if task.chosen is None:
        return f"{_name(task)}: left as it was"
    return f"{_name(task)}: sketch {task.chosen.sketch}, {'checked' if task.checked else 'unchecked'}"


def _name(task: TaskResult) -> str:
    weight = f" x{task.task.weight}" if task.task.weight > 1 else ""
    return f"{task.task.label()}{weight} ({task.task.function})"


def _task_object(task: TaskResult, *, explained: bool) -> dict[str, Any]:
    return {
        "key": task.task.key,
        "function": task.task.function,
        "op": task.task.label(),
        "weight": task.task.weight,
        "flops": task.task.flops,
        "baseline_seconds": task.baseline_seconds,
        "default_seconds": task.default_seconds,
        "best_seconds": task.best_seconds,
        "gflops": task.gflops,
        "trials": task.trials,
        "failures": dict(task.failures),
        "sketch": task.chosen.sketch if task.chosen else None,
        "checked": task.checked,
        "record": task.record,
        "walk": walk_objects(task) if explained else None,
    }
