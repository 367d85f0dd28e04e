"""The OpenMP runtime that threaded kernels call: where it is, and how it is loaded.

Threads that have no work must not spin: the cores between calls are the caller's, and another library's
pool may want them at once. The runtime is told so through its own interface, not by the environment.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from functools import cache
from importlib import metadata

from harl_mlir.errors import UsageError

_DISTRIBUTION = "intel-openmp"
_LIBRARY = "libiomp5.so"
_SYSTEM = "omp"
# So long a thread that has nothing to do looks out for work before it sleeps: no less than waking one takes,
# else one late once is late again in each of calls that follow one another.
# Older runtimes count in milliseconds.
_DEFAULTS = b"KMP_BLOCKTIME=50us"
_COARSE_DEFAULTS = b"KMP_BLOCKTIME=0"


def find_runtime() -> str:
    """The path, or the name for the system's loader, of an OpenMP runtime of LLVM's kind.

    The PyPI package's comes before the system's. Loads nothing. Raises UsageError where there is none.
    """
    found = _packaged() or ctypes.util.find_library(_SYSTEM)
    if found is None:
        raise UsageError(
            "no OpenMP runtime was found; for --threads 2 or more `pip install 'harl_mlir[threads]'`, or "
            "install your system's libomp (on Debian: libomp5-14)"
        )
    return found


def is_in_openmp(symbol: str) -> bool:
    """Whether it is a function of such a runtime."""
    return symbol.startswith("__kmpc_")


def check_threads(threads: int) -> None:
    """Refuse to run kernels on several threads where there are no cores or no runtime. Raises UsageError."""
    if threads < 1:
        raise UsageError(f"a kernel cannot run on {threads} threads; use --threads 1 or more")
    if threads == 1:
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads > cores:
        raise UsageError(
            f"{threads} threads need as many cores, and {cores} may be used; use --threads {cores}"
        )
    find_runtime()


@cache
def load_runtime() -> None:
    """Load the runtime so that compiled kernels find it, its idle threads sleeping at once.

    Raises UsageError where there is none, or it cannot be loaded.
    """
    path = find_runtime()
    try:
        runtime = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
        runtime.kmp_set_defaults(_DEFAULTS if path == _packaged() else _COARSE_DEFAULTS)
    except (OSError, AttributeError) as error:
        raise UsageError(
            f"the OpenMP runtime {path} cannot be used ({error}); use --threads 1, or install "
            f"the package {_DISTRIBUTION}"
        ) from error


def _packaged() -> str | None:
    try:
        distribution = metadata.distribution(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None
    for file in distribution.files or ():
        if file.name == _LIBRARY:
            return os.path.normpath(str(distribution.locate_file(file)))
    return None
