"""What a worker answers from texts alone, without compiling or running a kernel."""

from __future__ import annotations

from harl_mlir.accuracy import Accuracy
from harl_mlir.codegen.lowering import bufferize_text, pipeline_text
from harl_mlir.frontend.prepare import Prepared, prepare
from harl_mlir.measure import answers, protocol
from harl_mlir.measure.build import provenance
from harl_mlir.measure.objects import applied_ops
from harl_mlir.measure.protocol import Source
from harl_mlir.measure.reference import can_check
from harl_mlir.mlir import ir
from harl_mlir.reproduce.written import kernel_text, schedule_text
from harl_mlir.schedule.apply import apply_library
from harl_mlir.schedule.library import write_library
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.entry import Entry
from harl_mlir.tasks.analyse import analyse as analyse_module
from harl_mlir.tasks.analyse import analyse_functions
from harl_mlir.tasks.analysis import Analysis
from harl_mlir.tasks.task import Task


def _prepare(source: Source, *, accuracy: Accuracy | None = None) -> Prepared:
    return prepare(source.text, source.file, source.function, source.shapes, accuracy=accuracy)


def analyse(source: Source, accuracy: Accuracy) -> Analysis:
    """A kernel's tasks; those whose results cannot be checked are left alone: nothing is tuned unchecked."""
    with ir.Context(), ir.Location.unknown():
        found = analyse_module(_prepare(source, accuracy=accuracy), source.file)
    return found.without(can_check)


def functions(source: Source) -> Analysis:
    """Each function of a kernel as one task."""
    with ir.Context(), ir.Location.unknown():
        return analyse_functions(_prepare(source), source.file)


def library(request: protocol.Library, threads: int) -> str:
    """The schedule library of the request's candidates, made for workers of `threads` threads."""
    held = [Entry(*entry) for entry in request.entries]
    made_for = provenance(request.accuracy, request.processor, threads)
    with ir.Context(), ir.Location.unknown():
        return write_library(held, tunable=request.tunable, provenance=made_for)


def apply(source: Source, library: str, library_file: str) -> answers.Applied:
    """A kernel with a library applied to it, and what became of each op."""
    with ir.Context(), ir.Location.unknown():
        prepared = _prepare(source)
        outcomes = apply_library(
            prepared.module, library, library_file, function=prepared.function, kernel_file=source.file
        )
        prepared.module.operation.verify()
        return answers.Applied(str(prepared.module), applied_ops(outcomes))


def program(
    task: Task, candidate: Candidate | None, seconds: float | None, accuracy: Accuracy
) -> answers.Program:
    """What a reproduction of a candidate holds as text; without one, of the untuned kernel."""
    with ir.Context(), ir.Location.unknown():
        kernel = kernel_text(task, seconds)
        schedule = None if candidate is None else schedule_text(task, candidate, accuracy)
        return answers.Program(kernel, schedule, pipeline_text(accuracy), bufferize_text())
