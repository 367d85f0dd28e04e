"""`harl-mlir record-space`: measure every candidate of declared value lists, once and for all."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import msgspec

from harl_mlir.cli.numbers import duration
from harl_mlir.cli.terminal import Outcome, Terminal
from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import InputError, Place, UsageError
from harl_mlir.files import Output, read_mlir, same_file
from harl_mlir.lab.recorded import RecordedTask, Recording, encode, load
from harl_mlir.lab.recording import Declared, Journal, identity, record
from harl_mlir.lab.value_lists import declared, legal_points, thinned
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.record import this_environment
from harl_mlir.space.decision import Value
from harl_mlir.tuner.job import Job
from harl_mlir.tuner.plan import plan_sketches


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Record, or go on with a recording; only `--dry-run` measures nothing."""
    if options.points < 1:
        raise UsageError(f"{options.points} points are no space; use --points 1 or more")
    if same_file(options.kernel, options.output):
        raise UsageError(f"KERNEL.mlir and -o both name {options.output}; name another file with -o")
    kernel = read_mlir(options.kernel)
    lists = _value_lists(options.values) if options.values else {}
    output = Output(options.output, "-o")
    processor = this_processor()
    environment = this_environment(processor, 1, LOWERING_VERSION)
    with Pool() as pool:
        job = Job(kernel, str(options.kernel), options.function, tuple(options.shape))
        states = plan_sketches(job, pool, processor).states
        tasks = [Declared(s.task, thinned(declared(s.spaces, lists), options.points)) for s in states]
        for task in tasks:
            terminal.result(_declared_line(task))
        if options.dry_run:
            return Outcome(fields={"tasks": [_declared_object(task) for task in tasks], "written": []})
        name = options.output.stem
        path = options.output.with_name(options.output.name + ".journal")
        journal = Journal(path, identity(name, tasks, environment))
        if journal.entries:
            terminal.progress(f"going on with {path}: {len(journal.entries)} measurements")
        recording = record(name, tasks, environment, pool, journal, terminal.progress, processor)
    output.write_bytes(encode(recording))
    recording = load(options.output)  # as it will be read, numbers rounded
    path.unlink()
    for recorded in recording.tasks:
        terminal.result(_recorded_line(recorded))
    terminal.result(f"wrote {options.output}")
    return Outcome(fields=_fields(recording, tasks, options.output))


def _value_lists(path: Path) -> dict[str, dict[str, list[Value]]]:
    place = Place(str(path))
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, list[Value]]])
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"the value lists cannot be read ({reason}); check the name", place) from error
    except msgspec.MsgspecError as error:
        form = '{"SKETCH": {"DECISION": [VALUE, ...]}}'
        raise InputError(f"these are no value lists ({error}); write {form}", place) from error


def _declared_line(task: Declared) -> str:
    sketches = ", ".join(f"{space.sketch} {legal_points(space)}" for space in task.spaces)
    return f"{task.task.label()}: candidates to record: {sketches}"


def _recorded_line(task: RecordedTask) -> str:
    failed = 100 * (1 - len(task.times) / task.points)
    return (
        f"{task.task.label()}: {task.points} candidates, {failed:.1f} % failed, best "
        f"{duration(task.best_seconds)}, {100 * task.share_near_best:.2f} % within 5 % of it"
    )


def _declared_object(task: Declared) -> dict[str, Any]:
    return {
        "op": task.task.label(),
        "key": task.task.key,
        "weight": task.task.weight,
        "points": sum(map(legal_points, task.spaces)),
        "values": {s.sketch: {d.name: list(d.values) for d in s.decisions} for s in task.spaces},
    }


def _fields(recording: Recording, tasks: list[Declared], output: Path) -> dict[str, Any]:
    objects = [
        {
            **_declared_object(declared_task),
            "best_seconds": task.best_seconds,
            "failed": task.points - len(task.times),
            "share_near_best": task.share_near_best,
        }
        for task, declared_task in zip(recording.tasks, tasks, strict=True)
    ]
    return {"tasks": objects, "written": [str(output)]}
