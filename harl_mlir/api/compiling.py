"""`compile` as a call: a kernel in, functions on NumPy arrays out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.api.arguments import name_of, thread_count
from harl_mlir.api.library import ScheduleLibrary
from harl_mlir.api.source import ArgumentShapes, Source, read_source, shapes_of
from harl_mlir.api.working import calling, worker
from harl_mlir.codegen.interface import CFunction
from harl_mlir.codegen.openmp import find_runtime
from harl_mlir.codegen.target import Target
from harl_mlir.errors import UsageError
from harl_mlir.measure.answers import AppliedOp, Compiled

if TYPE_CHECKING:  # compiling without calling needs no NumPy
    from harl_mlir.export.loaded import Array, Loaded, LoadedFunction


class CompiledModule(Mapping[str, "LoadedFunction"]):
    """The public functions of a kernel in machine code, by their names in MLIR.

    `module["f"](a, b)` calls `@f` in this process, on NumPy arrays of exactly its shapes and types, and gives
    new arrays for its results; `out=` takes a list of arrays for them instead (`harl_mlir.export.loaded`).
    Where there is one function, `module(a, b)` calls it. Calls release the GIL, and several threads may make
    them at once. It is the caller's code from then on: nothing guards this process from what a kernel does.

    The code is linked by the system's C compiler and loaded when a function is first taken from the module,
    and stays until the process ends.
    """

    def __init__(self, compiled: Compiled, target: Target | None) -> None:
        self._compiled = compiled
        self._target = target

    @property
    def object_code(self) -> bytes:
        """An object file for any linker; it calls libc, libm, libmvec and, for threads, OpenMP."""
        return self._compiled.object

    @property
    def functions(self) -> tuple[CFunction, ...]:
        """How C calls each function: its symbol and its parameters."""
        return self._compiled.functions

    @property
    def outcomes(self) -> tuple[AppliedOp, ...]:
        """Of each linalg op whether a schedule of the library matched it; empty without a library."""
        return self._compiled.outcomes

    @cached_property
    def _loaded(self) -> Loaded:
        if self._target is not None:
            raise UsageError(
                f"this module is compiled for {self._target.cpu}, which may not be this processor; "
                "link its object there, or compile without target_cpu to call it here"
            )
        from harl_mlir.export.loaded import load

        return load(self._compiled.object, self._compiled.functions)

    def __getitem__(self, name: str) -> LoadedFunction:
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(function.name for function in self._compiled.functions)

    def __len__(self) -> int:
        return len(self._compiled.functions)

    def __call__(
        self, *arguments: object, out: Sequence[Array] | None = None
    ) -> Array | tuple[Array, ...] | None:
        """Call the only function.

        Raises:
            UsageError: there are several.
        """
        names = list(self)
        if len(names) != 1:
            raise UsageError(f"there are several functions here; call one of {', '.join(names)} by its name")
        return self[names[0]](*arguments, out=out)


def compile(
    kernel: Source,
    library: ScheduleLibrary | Source | None = None,
    *,
    function: str | None = None,
    shapes: ArgumentShapes | None = None,
    accuracy: Accuracy = DEFAULT_ACCURACY,
    target_cpu: str | None = None,
    threads: int = 1,
) -> CompiledModule:
    """Compile the public functions of a kernel, as tuning does, with schedules applied or without.

    Args:
        kernel: MLIR text (`str`) or a file (`pathlib.Path`).
        library: schedules to apply first; that nothing matches is no error (see `outcomes`).
        function: compile this function only.
        shapes: static shapes for arguments with dynamic dims: `{"A": (512, 512)}`.
        accuracy: what the lowering may do to arithmetic; a library tuned under `strict` is lowered so, too.
        target_cpu: LLVM's name of another processor to compile for, such as `x86-64-v3`. None: this one.
        threads: how many share the loops of schedules that were tuned for threads, by an OpenMP runtime.

    Raises:
        InputError: the kernel, the library or the processor was refused.
        UsageError: there is no OpenMP runtime for several threads.
    """
    threads, function = thread_count(threads), name_of("function", function)
    if threads < 1:
        raise UsageError(f"code cannot run on {threads} threads; use threads=1 or more")
    if threads > 1:
        with calling():
            find_runtime()
    source = read_source(kernel, "kernel")
    cpu = name_of("target_cpu", target_cpu)
    target = None if cpu is None else Target(cpu)
    if library is None:
        text, name = None, "library"
    elif isinstance(library, ScheduleLibrary):
        text, name = library.text, library.name
    else:
        read = read_source(library, "library")
        text, name = read.text, read.name
    with worker(accuracy) as pool:
        compiled = pool.compile(
            source.text,
            source.name,
            text,
            function=function,
            shapes=dict(shapes_of(shapes)),
            target=target,
            library_file=name,
            threads=threads,
        )
    return CompiledModule(compiled, target)
