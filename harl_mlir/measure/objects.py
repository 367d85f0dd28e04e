"""From a kernel file and a schedule library to an object file."""

from __future__ import annotations

from collections.abc import Iterable

from harl_mlir.accuracy import Accuracy
from harl_mlir.codegen.exports import choose_exports
from harl_mlir.codegen.jit import JitError, LowerError
from harl_mlir.codegen.object import compile_object
from harl_mlir.errors import InputError, Place
from harl_mlir.frontend.prepare import prepare
from harl_mlir.measure.answers import AppliedOp, Compiled
from harl_mlir.measure.build import Said
from harl_mlir.measure.protocol import Compile
from harl_mlir.mlir import ir
from harl_mlir.schedule.apply import apply_library
from harl_mlir.schedule.interpret import describe, read_script
from harl_mlir.schedule.library import accuracy_of
from harl_mlir.schedule.outcome import Outcome


def compile_request(request: Compile) -> Compiled:
    """Prepare, schedule, lower and compile a kernel file. Raises InputError."""
    source = request.source
    with ir.Context(), ir.Location.unknown():
        prepared = prepare(source.text, source.file, source.function, source.shapes)
        module = prepared.module
        exports = choose_exports(module, source.text, source.file, prepared.function)
        outcomes: list[Outcome] = []
        if request.library is not None:
            outcomes = apply_library(
                module,
                request.library,
                request.library_file,
                function=prepared.function,
                kernel_file=source.file,
            )
        said = Said()
        try:
            made = compile_object(module, exports, _accuracy(request), request.target, request.threads)
        except LowerError as error:
            message, place = describe(error.__cause__ or error, source.file)
            raise InputError(f"it cannot be lowered: {message}", place) from error
        except JitError as error:
            message = " ".join((str(error) + said()).split())[:400]
            raise InputError(f"LLVM cannot compile it: {message}", Place(source.file)) from error
        return Compiled(made, exports, applied_ops(outcomes))


def applied_ops(outcomes: Iterable[Outcome]) -> tuple[AppliedOp, ...]:
    """Outcomes as they travel."""
    return tuple(AppliedOp(o.op, str(o.place), o.matched, o.message) for o in outcomes)


def _accuracy(request: Compile) -> Accuracy:
    """Schedules keep the accuracy they were tuned under, and their speed, only with the lowering for it."""
    if request.library is None or request.accuracy == "strict":
        return request.accuracy
    return accuracy_of(read_script(request.library, request.library_file)) or request.accuracy
