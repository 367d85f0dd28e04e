"""The package as a library: text or paths in, text or paths out.

A kernel is MLIR text (`str`, for instance `str(module)` of any `mlir` package) or a file (`pathlib.Path`).
Nothing is written but what a path is given for, and the database of measurements.

Every call starts a worker process, which alone parses, compiles and runs what is given, and ends it before it
returns: half a second a call. So calls may be made from several threads at once, each with a `Database`
object of its own (or a path), and after a fork. Kernels are timed on one core, the last the thread may use:
two calls of `tune` at a time disturb each other's times unless each thread is given a core of its own
(`os.sched_setaffinity(0, {core})` in the thread). Where the calling process is killed, its worker dies too.

What is refused is an error of `harl_mlir.errors`, all of which are `HarlError`s: a sentence with the place
and what to do. A `KeyboardInterrupt`, and whatever a listener raises, ends a call at once; what was measured
until then is in the database.
"""

from __future__ import annotations

from harl_mlir.api.compiling import CompiledModule, compile
from harl_mlir.api.database import Database
from harl_mlir.api.library import ScheduleLibrary
from harl_mlir.api.tuning import Tuned, tune
from harl_mlir.measure.answers import Applied, AppliedOp
from harl_mlir.records.record import Record
from harl_mlir.space.entry import ScheduleFacts
from harl_mlir.tasks.analysis import Skipped
from harl_mlir.tuner.result import TaskResult

__all__ = [
    "Applied",
    "AppliedOp",
    "CompiledModule",
    "Database",
    "Record",
    "ScheduleFacts",
    "ScheduleLibrary",
    "Skipped",
    "TaskResult",
    "Tuned",
    "compile",
    "tune",
]
