"""From a kernel to the tasks that are tuned, each with its spaces."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from harl_mlir.errors import InputError, NothingToTuneError, Place
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.analysis import Analysis, Skipped
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.job import Job
from harl_mlir.tuner.state import TaskState

SCRIPT_VERSION = 1
"""Raised when the same values of a script's knobs come to mean another script."""


@dataclass(frozen=True)
class Plan:
    """The tasks to tune, and the ops left alone."""

    states: tuple[TaskState, ...]
    skipped: tuple[Skipped, ...]


def plan_sketches(job: Job, pool: Pool, processor: Processor) -> Plan:
    """The tasks of a kernel with the sketches that apply to each.

    Raises:
        InputError: the kernel was refused, or nothing in it can be tuned.
    """
    analysis = pool.analyse(job.kernel, job.name, job.function, dict(job.shapes))
    skipped, states = list(analysis.skipped), list[TaskState]()
    for task in analysis.tasks:
        spaces = sketches_for(task, processor, job.settings.accuracy, job.settings.threads)
        if spaces:
            states.append(TaskState(len(states), task, spaces))
        else:
            skipped.append(Skipped(task.anchor_op.name, task.place, _no_sketch(task, processor)))
    if not states:
        reason = f" (the first: {skipped[0].op}, {skipped[0].reason})" if skipped else ""
        raise NothingToTuneError(
            f"nothing in it can be tuned{reason}; give a kernel with linalg ops on static shapes",
            Place(job.name),
        )
    return Plan(tuple(states), tuple(skipped))


def _no_sketch(task: Task, processor: Processor) -> str:
    if sketches_for(task, processor):
        return "no sketch keeps its arithmetic as it is (--accuracy strict)"
    return "no sketch applies to it yet"


def plan_script(job: Job, script: str, pool: Pool) -> Plan:
    """The whole function as one task, whose space is what the user's script leaves open.

    Raises:
        InputError: the kernel or the script was refused, or the kernel has several functions.
    """
    decisions = pool.knobs(script, job.script_name)
    found = pool.functions(job.kernel, job.name, job.function, dict(job.shapes))
    tasks = found.tasks
    if not tasks:
        raise no_function(found, job.name)
    if len(tasks) > 1:
        names = ", ".join(task.function for task in tasks)
        raise InputError(
            f"a script is tuned on one function; choose one of {names} with --function", Place(job.name)
        )
    return Plan((TaskState(0, tasks[0], (script_space(script, decisions),), script),), found.skipped)


def no_function(found: Analysis, file: str) -> InputError:
    """There is no function that can be run on its own."""
    reason = f" (the first: {found.skipped[0].op}, {found.skipped[0].reason})" if found.skipped else ""
    return InputError(
        f"no function of it can be run on its own{reason}; give one of linalg ops on static shapes",
        Place(file),
    )


def script_space(script: str, decisions: tuple[Decision, ...]) -> Space:
    """The space of a user's script; scripts of other text never share records."""
    digest = hashlib.sha256(script.encode()).hexdigest()[:16]
    return Space(f"script-{digest}", SCRIPT_VERSION, decisions)
