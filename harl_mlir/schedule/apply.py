"""Applying a schedule library, or a user's own script, to a program."""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.errors import InputError, Place
from harl_mlir.frontend.fills import part_empties, part_fills
from harl_mlir.frontend.prepare import normalise
from harl_mlir.frontend.program import function_name, functions
from harl_mlir.mlir import ir
from harl_mlir.schedule.interpret import TransformError, interpret, read_script, scope_ops
from harl_mlir.schedule.library import (
    FORMAT_ATTRIBUTE,
    LIBRARY_VERSION,
    is_shared,
    is_strict,
    keep_entry,
    without_restoring,
)
from harl_mlir.schedule.outcome import Outcome, failed_keys, look_at, outcomes, outcomes_of_script

__all__ = ["Outcome", "TransformError", "apply_library", "apply_script", "is_library"]


def apply_library(
    program: ir.Module,
    text: str,
    file: str,
    *,
    function: str | None = None,
    kernel_file: str = "-",
    strict: bool = False,
) -> list[Outcome]:
    """Apply the schedule library `text` to the program (or to one function of it) in place.

    The program is first brought into the spelling of the tasks the library was made for (see
    `frontend.prepare`). Ops that share a fill get one each. A transform module
    that is no library of ours is run as it is, like `apply_script`. That nothing matches is no error.

    Args:
        program: static shapes, on tensors.
        text: the library.
        file: its name in messages.
        function: apply it to this function only.
        kernel_file: the program's name in the outcomes' places.
        strict: a schedule that fails is an error, instead of leaving its function as it was.

    Returns:
        What became of each linalg op, in program order.

    Raises:
        InputError: `text` is no transform module, or a library of another version.
        TransformError: a script failed as a whole, or, with `strict`, a schedule failed; the program
            is as it was.
    """
    script = read_script(text, file)
    ours = is_library(script, file)
    if ours and strict:
        without_restoring(script)
    if ours:
        accuracy: Accuracy = "strict" if is_strict(script) else DEFAULT_ACCURACY
        _normalise(program, function, accuracy, shared=is_shared(script))
    seen = look_at(scope_ops(program, function), kernel_file)
    spare = None if strict or not ours else program.operation.get_asm(assume_verified=True)
    run = interpret(program, script, file, function)
    if not ours:
        return outcomes_of_script(seen, run)
    reasons: Mapping[str, str] = {}
    if spare is not None:
        failed = failed_keys(seen, run)
        reasons = {key: _reason(spare, text, file, key, function) for key in failed}
    return outcomes(seen, run, reasons)


def apply_script(program: ir.Module, text: str, file: str, function: str | None = None) -> None:
    """Run a user's transform module from its `@__transform_main` on the program in place.

    Raises:
        InputError: it is no transform module with such an entry point.
        TransformError: it failed; the program is as it was.
    """
    interpret(program, read_script(text, file), file, function)


def _normalise(program: ir.Module, function: str | None, accuracy: Accuracy, *, shared: bool) -> None:
    """Bring a program into the form that the schedules of a library are made for."""
    for each in functions(program):
        if function in (None, function_name(each)):
            normalise(each, accuracy)
            part_fills(each)
            if shared:
                part_empties(each)


def is_library(script: ir.Module, file: str) -> bool:
    """Whether a transform module is a schedule library. Raises InputError for one of another version."""
    attributes = script.operation.attributes
    if FORMAT_ATTRIBUTE not in attributes:
        return False
    version = attributes[FORMAT_ATTRIBUTE]
    if not isinstance(version, ir.IntegerAttr) or version.value != LIBRARY_VERSION:
        raise InputError(
            f"this schedule library is of version {version}, not {LIBRARY_VERSION}; tune the kernel again",
            Place(file),
        )
    return True


def _reason(program: str, text: str, file: str, key: str, function: str | None) -> str:
    """Why the schedule for `key` fails: MLIR tells it only where nothing is undone."""
    script = read_script(text, file)
    keep_entry(script, key)
    without_restoring(script)
    try:
        interpret(ir.Module.parse(program), script, file, function)
    except TransformError as error:
        return error.message
    return "it fails only after other schedules"
