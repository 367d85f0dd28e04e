"""A walk over loop nests, step by step, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harl_mlir.cli.numbers import plain
from harl_mlir.cli.terminal import Terminal
from harl_mlir.tasks.loop_names import dimension_names
from harl_mlir.tuner import TaskResult

if TYPE_CHECKING:
    from harl_mlir.looptune.walk import Step, Walk


def explain(tasks: Sequence[TaskResult], terminal: Terminal) -> None:
    """Print the walk of every task that was walked."""
    for task in tasks:
        if task.walk is None:
            continue
        terminal.result(f"the walk over {task.task.label()} ({task.task.function}), by estimate:")
        names = dimension_names(task.task.anchor_op)
        for number, step in enumerate(_steps(task.walk)):
            terminal.result(f"{number:4}  {_line(step, names, task.walk_peak_gflops)}")


def _steps(walk: Walk) -> tuple[Step, ...]:
    return (walk.start, *walk.steps, *walk.polish)


def _line(step: Step, names: Sequence[str], peak_gflops: float | None) -> str:
    rate = plain(peak_gflops and step.estimate * peak_gflops)
    share = f"{100 * step.estimate:.1f} %"
    return f"{step.action:<12} {rate:>7} GFLOP/s {share:>7} of the peak  {step.nest.spelled(names)}"


def walk_objects(task: TaskResult) -> list[dict[str, Any]] | None:
    """The JSON form of a task's walk; None where it was not walked."""
    if task.walk is None:
        return None
    return [
        {"action": step.action, "nest": step.nest.text(), "estimate": step.estimate}
        for step in _steps(task.walk)
    ]
