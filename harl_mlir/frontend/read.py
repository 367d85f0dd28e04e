"""Reading a kernel file's text into a verified module."""

from __future__ import annotations

from harl_mlir.errors import InputError, Place
from harl_mlir.frontend.copies import write_copies
from harl_mlir.frontend.program import all_ops, function_name, functions, linalg_ops, place_of
from harl_mlir.mlir import ir

_BYTECODE = "ML\ufffdR"
"""How MLIR bytecode begins once its bytes are decoded as UTF-8 with replacement."""


def read_module(text: str, file: str) -> ir.Module:
    """Parse and verify `text` in the current context; `file` is its name in messages.

    Bytes that are not UTF-8 are expected as U+FFFD.

    Raises:
        InputError: the text is empty, not text, not valid MLIR, or holds no linalg op in a function.
    """
    module = parse_module(text, file)
    found = functions(module)
    for function in found:
        # MLIR prints no such name so that it can read it again.
        if not function_name(function):
            raise InputError("this function has no name; give it one", place_of(function.location, file))
    if not found:
        raise InputError("no function with a body is here; write the kernel as a func.func", Place(file))
    with module.context, ir.Location.unknown():
        for function in found:
            if not linalg_ops(function):
                write_copies(function)
    if not any(linalg_ops(function) for function in found):
        raise InputError(_nothing_to_tune(module), Place(file))
    return module


def parse_module(text: str, file: str) -> ir.Module:
    """Parse and verify any module; as `read_module`, which also asks for linalg ops."""
    _refuse_what_is_no_text(text, file)
    try:
        return ir.Module.parse(text)
    except ir.MLIRError as error:
        raise _refused(error, text, file) from None


def _refuse_what_is_no_text(text: str, file: str) -> None:
    if not text.strip():
        raise InputError("the file is empty; give a module with a function of linalg ops", Place(file))
    if text.startswith(_BYTECODE):
        raise InputError("this is MLIR bytecode; print it as text first, with mlir-opt", Place(file))
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise InputError("this is a binary file; give MLIR as text", Place(file, line))


def _refused(error: ir.MLIRError, text: str, file: str) -> InputError:
    if "\ufffd" in text:
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        return InputError("this is not UTF-8 text; give MLIR as text", Place(file, line))
    diagnostics = error.error_diagnostics
    if not diagnostics:
        return InputError("this is not valid MLIR; mlir-opt says more", Place(file))
    first = diagnostics[0]
    message = " ".join(first.message.split())
    if "unregistered dialect" in message or "not found for custom op" in message:
        message = "this op's dialect is not one of MLIR's own; lower it to linalg first"
    else:
        message = f"not valid MLIR: {message}"
    return InputError(message, place_of(first.location, file))


def _nothing_to_tune(module: ir.Module) -> str:
    dialects = {op.name.partition(".")[0] for op in all_ops(module.operation)}
    higher = sorted(dialects & {"torch", "tosa", "stablehlo", "onnx", "mhlo", "chlo"})
    if higher:
        return f"no function holds a linalg op; lower {' and '.join(higher)} to linalg first"
    if {"scf", "vector"} <= dialects:
        return (
            "no function holds a linalg op any more, as if schedules had been applied; give the kernel as it "
            "was before, and the library"
        )
    return "no function holds a linalg op, so there is nothing to tune; write the kernel with linalg ops"
