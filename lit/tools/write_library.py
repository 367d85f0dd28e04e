"""Write the schedule library of a kernel: each task with the default candidate of its first sketch.

The processor is made up, so that the schedules are the same wherever the tests run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from harl_mlir.accuracy import ACCURACIES, DEFAULT_ACCURACY, Accuracy
from harl_mlir.frontend.prepare import prepare
from harl_mlir.mlir import ir
from harl_mlir.processor import Processor
from harl_mlir.schedule.library import write_library
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.entry import Entry, Provenance
from harl_mlir.space.nest.space import nest_space
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.analyse import analyse
from harl_mlir.tasks.task import Task

PROCESSOR = Processor("any", ("avx512f",), 64, 32, 32 << 10, 1 << 20, 32 << 20)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kernel", type=Path)
    parser.add_argument("--function")
    parser.add_argument("--set", action="append", default=[], help="DECISION=VALUE instead of the default")
    parser.add_argument("--nest", help="the loop nest of contractions, instead of their sketches")
    parser.add_argument("--sketch", action="append", default=[], help="LABEL=SKETCH for a task")
    parser.add_argument("--tunable", action="store_true")
    parser.add_argument("--accuracy", choices=ACCURACIES, default=DEFAULT_ACCURACY)
    parser.add_argument("--fail", help="part of the label of the task whose schedule is to fail in the end")
    options = parser.parse_args()
    with ir.Context(), ir.Location.unknown():
        text = options.kernel.read_text()
        prepared = prepare(text, options.kernel.name, options.function, accuracy=options.accuracy)
        tasks = analyse(prepared, options.kernel.name).tasks
        settings = [*options.set, *([f"nest={options.nest}"] if options.nest else [])]
        sketches = dict(setting.rsplit("=", 1) for setting in options.sketch)
        found = [
            (task, spaces_of(task, options.accuracy, options.nest, sketches.get(task.label())))
            for task in tasks
        ]
        entries = [Entry(task, candidate(spaces[0], settings)) for task, spaces in found if spaces]
        about = Provenance("0", PROCESSOR.name, PROCESSOR.features, accuracy=options.accuracy)
        library = write_library(entries, provenance=about, tunable=options.tunable)
        print(break_schedule(library, options.fail) if options.fail else library)


def spaces_of(
    task: Task, accuracy: Accuracy, nest: str | None, sketch: str | None = None
) -> tuple[Space, ...]:
    """The spaces a candidate may be of, the first of which is taken."""
    nests = nest_space(task, PROCESSOR, accuracy) if nest or sketch == "loop_nest" else None
    found = (nests,) if nests else sketches_for(task, PROCESSOR, accuracy)
    if sketch is None:
        return found
    return tuple(space for space in found if space.default().sketch == sketch)


def candidate(space: Space, settings: list[str]) -> Candidate:
    """The default candidate but for the settings the space has; other tasks may have the rest."""
    values = dict(space.default().values)
    for setting in settings:
        name, _, value = setting.partition("=")
        if name in values:
            values[name] = int(value) if value.isdigit() else value
    chosen = space.candidate(values)
    if not space.is_legal(chosen):
        raise SystemExit(f"{chosen} is not legal")
    return chosen


def break_schedule(library: str, label: str) -> str:
    """Make the schedules of tasks with this label fail when all their work is done."""
    module = ir.Module.parse(library)
    for op in module.body.operations:
        if "harl.label" in op.attributes and label in str(op.attributes["harl.label"]):
            end = list(op.regions[0].blocks[0].operations)[-1]
            with ir.InsertionPoint(end), ir.Location.unknown():
                number = ir.Type.parse("!transform.param<i64>")
                one, two = (
                    ir.Operation.create(
                        "transform.param.constant",
                        results=[number],
                        attributes={"value": ir.Attribute.parse(n)},
                    ).result
                    for n in ("1 : i64", "2 : i64")
                )
                equal = {"predicate": ir.Attribute.parse("0 : i32")}
                ir.Operation.create("transform.match.param.cmpi", operands=[one, two], attributes=equal)
    return str(module)


main()
