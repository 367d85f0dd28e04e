"""The MLIR files of a reproduction, made where MLIR is."""

from __future__ import annotations

from harl_mlir.accuracy import Accuracy
from harl_mlir.codegen.lowering import find_function
from harl_mlir.errors import InputError
from harl_mlir.measure.body_values import CannotCheckError
from harl_mlir.measure.build import KERNEL, provenance
from harl_mlir.mlir import ir
from harl_mlir.reproduce.numbers import expected_results
from harl_mlir.reproduce.program import program_text
from harl_mlir.schedule.library import without_restoring, write_library
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.entry import Entry
from harl_mlir.tasks.task import Task

_WEAK = "#llvm.linkage<weak>"
_MOST_MESSAGE = 300
_DAMAGED = "the kernel in the facts of the record's task is damaged"


def kernel_text(task: Task, seconds: float | None) -> str:
    """The task's kernel with a `@main` that calls, checks and times it, in the current context.

    `seconds` is what a call may take. Raises InputError where no reference can be computed, or the kernel is
    no MLIR.
    """
    try:
        expected = expected_results(task)
    except CannotCheckError as reason:
        raise InputError(
            f"what {task.label()} should compute is not known ({reason}); take another record"
        ) from None
    try:
        module = ir.Module.parse(task.kernel)
        kernel = find_function(module, KERNEL)
    except (ir.MLIRError, ValueError):
        raise InputError(f"{_DAMAGED}; tune the kernel again into another database") from None
    # A weak function may be another one at link time, so LLVM leaves every call of it where it is.
    kernel.attributes["llvm.linkage"] = ir.Attribute.parse(_WEAK)
    program = ir.Module.parse(program_text(task, expected, seconds))
    for view in list(program.body.operations):
        op = view.operation
        if op.name == "func.func" and ir.StringAttr(op.attributes["sym_name"]).value == KERNEL:
            op.erase()
        else:
            module.body.append(op.detach_from_parent())
    try:
        module.operation.verify()
    except ir.MLIRError:
        raise InputError(f"{_DAMAGED}; tune the kernel again into another database") from None
    return str(module)


def schedule_text(task: Task, candidate: Candidate, accuracy: Accuracy) -> str:
    """A schedule library of one entry; where it fails, it says why and leaves nothing as it was.

    Raises InputError where no schedule can be made of the candidate.
    """
    try:
        library = write_library([Entry(task, candidate)], provenance=provenance(accuracy), respell=False)
    except Exception as error:
        message = " ".join(str(error).split())[:_MOST_MESSAGE]
        what = f"the sketch makes no schedule of these choices ({type(error).__name__}: {message})"
        raise InputError(f"{what}; take another record") from error
    module = ir.Module.parse(library)
    without_restoring(module)
    return str(module)
