"""From a task and a schedule to a compiled kernel; every way it can fail has its kind."""

from __future__ import annotations

import functools
import os

from harl_mlir import __version__
from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.codegen.jit import (
    CompiledKernel,
    JitError,
    LoweredKernel,
    LowerError,
    compile_lowered,
    lower_kernel,
)
from harl_mlir.codegen.lowering import InPlace
from harl_mlir.codegen.memory import AllocationError, LoopMemoryError
from harl_mlir.errors import InputError
from harl_mlir.measure.measurement import FailureKind
from harl_mlir.measure.protocol import Schedule
from harl_mlir.mlir import ir
from harl_mlir.processor import Processor, this_processor
from harl_mlir.schedule.apply import apply_library
from harl_mlir.schedule.library import write_library
from harl_mlir.schedule.user_script import select_knobs
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.entry import Entry, Provenance
from harl_mlir.tasks.task import Task, TensorType

KERNEL = "kernel"
_TAIL_BYTES = 2000
# Of what a script is made with; a parser and a pass load the dialects that they need.
_DIALECTS = ("func", "linalg", "tensor", "arith", "transform")


class BuildError(Exception):
    """A schedule could not be built."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def provenance(accuracy: Accuracy, processor: Processor | None = None, threads: int = 1) -> Provenance:
    """What the libraries written here were tuned with; on this processor if on no other."""
    processor = processor or this_processor()
    return Provenance(__version__, processor.name, processor.features, threads, accuracy)


@functools.cache
def _context() -> ir.Context:
    """The one context of all builds: making one and loading its dialects takes longer than many a pass.

    Kept small: canonicalization has to look at the patterns of every loaded dialect.
    """
    return ir.Context(load_on_create_dialects=list(_DIALECTS))


def result_types(task: Task) -> tuple[TensorType, ...]:
    """Types of the kernel's results, from its text. Raises ValueError for results that are no tensors."""
    if not task.unchecked:
        return tuple(task.result_type(r) for r in task.results)
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(task.kernel)
        results = next(iter(module.body.operations)).type.results
        if not all(isinstance(r, ir.RankedTensorType) for r in results):
            raise ValueError(f"a result is no tensor: {', '.join(map(str, results))}")
        return tuple(TensorType(tuple(r.shape), str(r.element_type)) for r in results)


def build(
    task: Task,
    results: tuple[TensorType, ...],
    schedule: Schedule,
    script: str | None,
    memory_bytes: int | None = None,
    accuracy: Accuracy = DEFAULT_ACCURACY,
    threads: int = 1,
) -> CompiledKernel:
    """Schedule, lower and compile a task's kernel. Raises BuildError."""
    lowered = lower(task, results, schedule, script, memory_bytes, accuracy, threads)
    said = Said()
    try:
        return compile_lowered(lowered)
    except JitError as error:
        raise BuildError("jit", str(error) + said()) from error


def lower(
    task: Task,
    results: tuple[TensorType, ...],
    schedule: Schedule,
    script: str | None,
    memory_bytes: int | None = None,
    accuracy: Accuracy = DEFAULT_ACCURACY,
    threads: int = 1,
) -> LoweredKernel:
    """Schedule and lower a task's kernel, which takes a fraction of compiling it. Raises BuildError."""
    said = Said()
    with _context(), ir.Location.unknown():
        try:
            module = ir.Module.parse(task.kernel)
            _apply(module, task, schedule, script, accuracy, threads)
        except (InputError, ir.MLIRError, ValueError) as error:
            raise BuildError("transform", str(error) + said()) from error
        except Exception as error:
            # A fault of a sketch must not end the tuning of everything else.
            raise BuildError("transform", f"{type(error).__name__}: {error}{said()}") from error
        # What a user's script or the kernel itself does with memory is the user's affair.
        ours = isinstance(schedule, Candidate) and script is None
        try:
            lowered = lower_kernel(module, KERNEL, memory_bytes, accuracy, loops=ours, threads=threads)
        except LowerError as error:
            raise BuildError("lower", str(error) + said()) from error
        except AllocationError as error:
            raise BuildError("out_of_memory", str(error)) from error
        except LoopMemoryError as error:
            raise BuildError("alloc_in_loop", str(error)) from error
    expected = (
        *task.arguments,
        *(
            kind
            for kind, place in zip(results, lowered.results, strict=True)
            if not isinstance(place, InPlace)
        ),
    )
    if lowered.parameters != expected:
        raise BuildError("lower", f"the schedule changed the kernel's parameters to {lowered.parameters}")
    return lowered


def _apply(
    module: ir.Module, task: Task, schedule: Schedule, script: str | None, accuracy: Accuracy, threads: int
) -> None:
    if schedule is None:
        return
    if isinstance(schedule, str):
        apply_library(module, schedule, "schedule")
    elif script is not None:
        apply_library(module, select_knobs(script, "script", schedule.values), "script")
    else:
        _apply_candidate(module, task, schedule, accuracy, threads)


def _apply_candidate(
    module: ir.Module, task: Task, candidate: Candidate, accuracy: Accuracy, threads: int
) -> None:
    made = provenance(accuracy, threads=threads)
    library = write_library([Entry(task, candidate)], provenance=made, respell=False)
    outcomes = apply_library(module, library, "library", strict=True)
    if not any(outcome.matched for outcome in outcomes):
        raise ValueError("the schedule did not find the task's ops in its kernel")


class Said:
    """What was written to stderr since: the engine tells its reasons only there."""

    def __init__(self) -> None:
        self._from = _stderr_size()

    def __call__(self) -> str:
        """Its last lines, on a line of their own; empty where there are none."""
        first = max(self._from, _stderr_size() - _TAIL_BYTES)
        try:
            text = os.pread(2, _TAIL_BYTES, first).decode(errors="replace").strip()
        except OSError:
            return ""
        return f"\n{text}" if text else ""


def _stderr_size() -> int:
    try:
        return os.fstat(2).st_size
    except OSError:
        return 0
