"""What a worker answers with, but for how the messages travel, which is in `protocol.py`."""

from __future__ import annotations

import msgspec

from harl_mlir.codegen.interface import CFunction
from harl_mlir.errors import HarlError
from harl_mlir.measure.measurement import Failure, Measurement
from harl_mlir.space.decision import Decision
from harl_mlir.space.entry import LibraryFacts
from harl_mlir.tasks.analysis import Analysis


class Applied(msgspec.Struct, frozen=True):
    """A module with a schedule library applied, and what became of every linalg op in it."""

    text: str
    outcomes: tuple[AppliedOp, ...]


class AppliedOp(msgspec.Struct, frozen=True):
    """One linalg op (its fusion group's root): whether a schedule matched and was applied, or why not."""

    op: str
    place: str
    matched: bool
    message: str


class Compiled(msgspec.Struct, frozen=True):
    """Functions of a kernel file in machine code.

    Attributes:
        object: an object file: position independent; its only exported symbols are the functions', and it
            calls nothing but libc, libm and libmvec.
        functions: how C calls them.
        outcomes: what became of every linalg op; empty where no library was applied.
    """

    object: bytes
    functions: tuple[CFunction, ...]
    outcomes: tuple[AppliedOp, ...] = ()


class Remark(msgspec.Struct, frozen=True):
    """Something a pass said: `remark` or `warning`."""

    severity: str
    place: str
    message: str


class KernelFile(msgspec.Struct, frozen=True):
    """A kernel that a pass has extracted for a directory."""

    directory: str
    name: str
    text: str


class Analysed(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Analyse`."""

    analysis: Analysis


class Measured(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Measure` (one) and `Retime` (one for each schedule)."""

    measurements: tuple[Measurement, ...]


class Verified(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Verify`: what is wrong with the schedule, or None."""

    failure: Failure | None


class PeakFound(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Peak`, in floating-point operations a second."""

    flops_per_second: float


class BandwidthFound(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Bandwidth`, in bytes a second, read and written."""

    bytes_per_second: float


class Text(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Library` and `Select`."""

    text: str


class AppliedText(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Apply`."""

    applied: Applied


class Inspected(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Inspect`."""

    facts: LibraryFacts


class CompiledObject(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Compile`."""

    compiled: Compiled


class Opted(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Opt`: with `refused` there are only remarks."""

    text: str
    remarks: tuple[Remark, ...] = ()
    files: tuple[KernelFile, ...] = ()
    refused: Refused | None = None


class Open(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Knobs`."""

    decisions: tuple[Decision, ...]


class Program(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Reproduce`: what `mlir-opt` and `mlir-runner` need to run a kernel.

    Attributes:
        kernel: a module of the kernel and a `@main`.
        schedule: a transform module, or None where there is none to apply.
        lowering: the pass pipeline to the LLVM dialect; `bufferization` that of its first stage.
    """

    kernel: str
    schedule: str | None
    lowering: str
    bufferization: str


class Modules(msgspec.Struct, frozen=True, tag=True):
    """The answer to `Ping`."""

    names: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The input was refused: raised as InputError in the main process."""

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None


def refused(error: HarlError) -> Refused:
    """A refusal as it travels."""
    if error.place is None:
        return Refused(error.message)
    return Refused(error.message, error.place.file, error.place.line, error.place.column)


class Broken(msgspec.Struct, frozen=True, tag=True):
    """A bug of ours in the worker: raised as WorkerError in the main process."""

    traceback: str


Answer = (
    Analysed
    | Measured
    | Verified
    | PeakFound
    | BandwidthFound
    | Text
    | AppliedText
    | Inspected
    | CompiledObject
    | Program
    | Open
    | Opted
    | Modules
    | Refused
    | Broken
)
