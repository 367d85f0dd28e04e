"""Making libraries of objects with the system's own compiler and archiver."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from harl_mlir.codegen.elf import undefined_symbols
from harl_mlir.codegen.openmp import find_runtime, is_in_openmp
from harl_mlir.codegen.vector_library import is_vector_symbol
from harl_mlir.errors import InputError, Place

COMPILERS = ("cc", "gcc", "clang")
"""By which it is linked: the first that is on the PATH."""
_SECONDS = 120.0


def libraries(object_file: bytes) -> tuple[str, ...]:
    """The libraries besides libc that an object is to be linked with, as after `-l`, in order."""
    vectors = any(is_vector_symbol(symbol) for symbol in undefined_symbols(object_file))
    return ("mvec", "m") if vectors else ("m",)


def runtime(object_file: bytes) -> str | None:
    """The OpenMP runtime that an object calls: its path, or its name for the loader; None if it needs none.

    Raises UsageError where there is none on this machine.
    """
    return find_runtime() if any(map(is_in_openmp, undefined_symbols(object_file))) else None


def runtime_flags(runtime: str | None) -> tuple[str, ...]:
    """What links a runtime, and has programs find it where it is."""
    if runtime is None:
        return ()
    path = Path(runtime)
    if not path.is_absolute():
        return (f"-l:{runtime}",)
    return (f"-L{path.parent}", f"-l:{path.name}", f"-Wl,-rpath,{path.parent}")


def link_shared(object_file: bytes, out: Path, soname: str | None = None, source: Path | None = None) -> None:
    """Link an object into the shared library `out`, which is written whole or not at all.

    What the object needs (`libraries`, `runtime`) and libc are linked; another symbol is an error.
    `source` is a file of C to compile and link with it.

    Raises:
        InputError: there is no C compiler, or it fails, or `out` cannot be written.
    """
    named = [] if soname is None else [f"-Wl,-soname,{soname}"]
    beside = [] if source is None else ["-O2", "-fPIC", "-pthread", str(source)]

    def link(made: Path, result: Path) -> list[str]:
        return [
            _tool(COMPILERS, "C compiler to link with", "gcc"),
            *("-shared", "-o", str(result), str(made), *beside, "-Wl,-z,defs", *named),
            *(f"-l{library}" for library in libraries(object_file)),
            *runtime_flags(runtime(object_file)),
        ]

    _make(object_file, out, "object.o", link)


def archive(object_file: bytes, name: str, out: Path) -> None:
    """Put an object as the member `name` into the static library `out`; raises as `link_shared` does."""

    def pack(made: Path, result: Path) -> list[str]:
        # D: no times and users in it, so that the same object gives the same archive.
        return [_tool(("ar",), "archiver (ar)", "binutils"), "rcsD", str(result), str(made)]

    _make(object_file, out, name, pack)


def _make(object_file: bytes, out: Path, name: str, command: Callable[[Path, Path], Sequence[str]]) -> None:
    try:
        with tempfile.TemporaryDirectory(prefix=".harl-", dir=out.parent) as held:
            made, result = Path(held) / name, Path(held) / "result"
            made.write_bytes(object_file)
            _run(command(made, result), out)
            result.replace(out)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"the library cannot be written here ({reason}); name another place", Place(str(out))
        ) from error


def _run(command: Sequence[str], out: Path) -> None:
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{command[0]} did not end in {_SECONDS:g} s; try again", Place(str(out))) from None
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
        # The driver's last line only says that the linker failed.
        said = next((line for line in lines if "undefined reference" in line), lines[-1])
        raise InputError(f"{command[0]} failed: {said[:300]}; see that it can link", Place(str(out)))


def _tool(names: Sequence[str], what: str, package: str) -> str:
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    raise InputError(f"no {what} is on the PATH; install one (Debian has it in {package})")
