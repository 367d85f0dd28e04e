"""Running a transform module on a program, and what it says on the way.

The script runs on a copy of the program beside the script, so that a failure leaves the program as it
was and the script never sees itself. In the copy every op has a location of its own, by which ops are
told apart in remarks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harl_mlir.errors import InputError, Place
from harl_mlir.frontend.program import (
    ALONE,
    FETCHED,
    LANES,
    ONLINE,
    STREAMED,
    TRANSPOSED,
    VECTOR,
    all_ops,
    function_name,
    functions,
    place_of,
)
from harl_mlir.mlir import PassManager, ir

ENTRY = "__transform_main"
_TARGET = "harl.program"
_KEPT = (ALONE, FETCHED, LANES, ONLINE, STREAMED, TRANSPOSED, VECTOR)
"""Marks that are for the lowering."""
_INTERPRET = f"builtin.module(transform-interpreter{{debug-payload-root-tag={_TARGET}}})"
_COPY = "<program>"
"""The file name in locations of the copy."""


class TransformError(InputError):
    """A transform script failed on a program; the program is as it was."""


@dataclass(frozen=True)
class Remark:
    """Something a script said at an op; `location` is that of the op in the copy."""

    message: str
    location: str


@dataclass(frozen=True)
class Run:
    """What a script did.

    Attributes:
        remarks: in order.
        before: locations in the copy of the ops of `scope_ops`, in the same order.
        after: the ops that there are now, with the same locations where they were not made anew.
    """

    remarks: tuple[Remark, ...]
    before: tuple[str, ...]
    after: tuple[ir.Operation, ...]


def read_script(text: str, file: str) -> ir.Module:
    """Parse a transform module that has an entry point, in the current context.

    Raises:
        InputError: it is not valid MLIR, or has no `@__transform_main` that takes one op.
    """
    if not text.strip():
        raise InputError("the file is empty; give a transform module", Place(file))
    try:
        module = ir.Module.parse(text)
    except ir.MLIRError as error:
        message, place = describe(error, file)
        raise InputError(f"not valid MLIR: {message}", place) from None
    entry = entry_of(module)
    if entry is None:
        raise InputError(
            f"no transform.named_sequence @{ENTRY} is here; give a transform module that has one", Place(file)
        )
    blocks = list(entry.regions[0].blocks)
    if len(blocks) != 1 or len(blocks[0].arguments) != 1:
        place = place_of(entry.location, file)
        raise InputError(f"@{ENTRY} must have a body that takes one op; write it so", place)
    return module


def entry_of(module: ir.Module) -> ir.Operation | None:
    """The sequence that runs first."""
    for view in module.body.operations:
        op = view.operation
        if op.name == "transform.named_sequence" and ir.StringAttr(op.attributes["sym_name"]).value == ENTRY:
            return op
    return None


def scope_ops(program: ir.Module, function: str | None) -> list[ir.Operation]:
    """All ops that a script runs on: the program's, or those of one function and itself."""
    return all_ops(program.operation)[1:] if function is None else all_ops(_function(program, function))


def interpret(program: ir.Module, script: ir.Module, file: str, function: str | None = None) -> Run:
    """Run the script on the program, or on nothing but one function of it, and change the program.

    `file` is the script's name in messages. The script gets a module, also of the one function.

    Raises:
        TransformError: the script failed or left invalid IR; the program is as it was.
    """
    original = program.operation if function is None else _function(program, function)
    both, copy = _beside(original, script)
    before = tuple(str(op.location) for op in all_ops(copy)[1:])
    remarks: list[Remark] = []

    def listen(diagnostic: ir.Diagnostic) -> bool:
        if diagnostic.severity == ir.DiagnosticSeverity.REMARK:
            remarks.append(Remark(diagnostic.message, str(diagnostic.location)))
        return True

    handler = program.context.attach_diagnostic_handler(listen)
    try:
        PassManager.parse(_INTERPRET).run(both.operation)
    except (ir.MLIRError, ValueError) as error:
        message, place = describe(error, file)
        raise TransformError(f"the transform script failed: {message}", place) from None
    finally:
        handler.detach()
    after = _replace(original, both, whole=function is None)
    _strip_tags(after)
    return Run(tuple(remarks), before, after)


def describe(error: BaseException, file: str) -> tuple[str, Place]:
    """An error of the bindings in one line, and its place in the script `file` where it has one."""
    diagnostics = error.error_diagnostics if isinstance(error, ir.MLIRError) else []
    if not diagnostics:
        return _one_line(str(error)), Place(file)
    first = diagnostics[0]
    notes = [note.message for note in first.notes if not note.message.startswith("see current operation")]
    place = place_of(first.location, file)
    return _one_line("; ".join([first.message, *notes])), Place(file) if place.file == _COPY else place


def _beside(original: ir.Operation, script: ir.Module) -> tuple[ir.Module, ir.Operation]:
    """A module with a copy of `original` in a module of its own, and the script; and that copy."""
    copy = ir.Operation.parse(original.get_asm(assume_verified=True), source_name=_COPY).operation
    with ir.Location.unknown():
        both = ir.Module.create()
        target = ir.Module.create().operation.clone()
    # First, so that its entry point is found before one that the program may hold.
    both.body.append(script.operation.clone())
    both.body.append(target)
    block = target.regions[0].blocks[0]
    for op in _taken_from(copy):
        block.append(op)
    target.attributes["transform.target_tag"] = ir.StringAttr.get(_TARGET)
    return both, target


def _taken_from(copy: ir.Operation) -> list[ir.Operation]:
    if copy.name != "builtin.module":
        return [copy]
    ops = [view.operation for view in copy.regions[0].blocks[0].operations]
    return [op.detach_from_parent().operation for op in ops]


def _replace(original: ir.Operation, both: ir.Module, *, whole: bool) -> tuple[ir.Operation, ...]:
    changed = both.body.operations[1].operation
    ops = _taken_from(changed)
    if whole:
        body = original.regions[0].blocks[0]
        for view in list(body.operations):
            view.operation.erase()
        for op in ops:
            body.append(op)
    else:
        anchor = ir.InsertionPoint(original)
        for op in ops:
            anchor.insert(op)
        original.erase()
    return tuple(inner for op in ops for inner in all_ops(op))


def _strip_tags(ops: Iterable[ir.Operation]) -> None:
    """Remove the marks by which schedules find their ops where they are left on linalg ops and loops."""
    for op in ops:
        if not op.name.startswith(("linalg.", "scf.")):
            continue
        for name in [name for name in op.attributes if name.startswith("harl.") and name not in _KEPT]:
            del op.attributes[name]


def _function(module: ir.Module, name: str) -> ir.Operation:
    return next(f.operation for f in functions(module) if function_name(f) == name)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:400]
