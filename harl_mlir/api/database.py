"""The database of measurements in the hands of a program."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.api.arguments import name_of, path_of, thread_count
from harl_mlir.api.library import ScheduleLibrary
from harl_mlir.api.source import ArgumentShapes, Source, read_source, shapes_of
from harl_mlir.api.working import calling, worker
from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import DatabaseError, Place
from harl_mlir.files import Output, default_database, read_bytes
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database as RecordFile
from harl_mlir.records.exchange import add_lines, lines_of
from harl_mlir.records.record import Environment, Record, this_environment
from harl_mlir.space.sketches import recorded_spaces
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.remembered import best_recorded

_KEY = re.compile(r"[0-9a-f]{16}")
_IN_MEMORY = Path(":memory:")


class Database:
    """Every measurement that was made, on a file that several programs may share.

    Used as a context manager, or closed by `close`. An open database belongs to the thread and the process
    that opened it: another thread opens the same path for itself, and so does a child after a fork.

    Args:
        path: the file, which is created where missing (its directory is not). None is that of the command
            line, in the user's cache directory.

    Raises:
        DatabaseError: the file cannot be used. Every method raises it too.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        with calling():
            self._open(default_database() if path is None else path_of("path", path))

    @classmethod
    def in_memory(cls) -> Self:
        """A database without a file, which is gone when it is closed."""
        made = cls.__new__(cls)
        made._open(_IN_MEMORY)
        return made

    def _open(self, path: Path) -> None:
        self._file = RecordFile(path)
        self._owner = (os.getpid(), threading.get_ident())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was measured is on it already."""
        self.file.close()

    @property
    def path(self) -> Path | None:
        """The file; None for a database in memory."""
        return None if self._file.path == _IN_MEMORY else self._file.path

    @property
    def file(self) -> RecordFile:
        """The records as the tuner uses them.

        Raises:
            DatabaseError: this is not the thread or the process that opened it.
        """
        if self._owner != (os.getpid(), threading.get_ident()):
            raise DatabaseError(
                "this database was opened in another thread or process; open its file once more in this one",
                Place(str(self._file.path)),
            )
        return self._file

    def tasks(self) -> list[Task]:
        """The tasks that were measured, by workload key."""
        with calling():
            return self.file.tasks()

    def __len__(self) -> int:
        """How many measurements of any kind it holds."""
        with calling():
            return self.file.count()

    def __bool__(self) -> bool:
        return True

    def records(
        self,
        of: Source,
        *,
        function: str | None = None,
        shapes: ArgumentShapes | None = None,
        accuracy: Accuracy = DEFAULT_ACCURACY,
        threads: int = 1,
        everywhere: bool = False,
    ) -> list[Record]:
        """The measurements of a task, or of all tasks of a kernel, oldest first within a task.

        Args:
            of: a workload key (16 hexadecimal digits), or a kernel as text or as a file.
            function: of a kernel, only the tasks of this function.
            shapes: static shapes for a kernel's arguments with dynamic dims.
            accuracy: what schedules were allowed to do to arithmetic.
            threads: how many a kernel ran on.
            everywhere: those of every environment, not only of this processor, these versions, `accuracy` and
                `threads`.

        Raises:
            InputError: the kernel was refused.
        """
        threads = thread_count(threads)
        with calling():
            environments = self.file.environments() if everywhere else [_here(accuracy, threads)]
        if isinstance(of, str) and _KEY.fullmatch(of):
            keys = [of]
        else:
            with worker(accuracy) as pool:
                keys = [task.key for task in _tasks(pool, of, function, shapes)]
        with calling():
            return [r for key in keys for e in environments for r in self.file.records(key, e)]

    def best(
        self,
        kernel: Source,
        *,
        function: str | None = None,
        shapes: ArgumentShapes | None = None,
        accuracy: Accuracy = DEFAULT_ACCURACY,
        threads: int = 1,
    ) -> ScheduleLibrary:
        """The best known schedule of each task of a kernel, without measuring anything.

        Only what was measured on this processor and so many threads, with the versions that are installed,
        counts. It is the
        schedule that won when the task was tuned last, unless a later trial was faster. A task that was never
        measured here, or whose untuned kernel is the fastest, has no entry: a library of no entries, which is
        false, says that there is nothing to apply.

        Raises:
            InputError: the kernel was refused.
        """
        threads = thread_count(threads)
        here, processor = _here(accuracy, threads), this_processor()
        with worker(accuracy, threads) as pool:
            entries = []
            for task in _tasks(pool, kernel, function, shapes):
                spaces = recorded_spaces(task, processor, accuracy, threads)
                candidate = best_recorded(self.file.records(task.key, here), spaces)
                if candidate is not None:
                    entries.append((task, candidate))
            text = pool.library(entries)
            return ScheduleLibrary._known(text, pool.inspect(text))

    def export(self, path: str | os.PathLike[str]) -> None:
        """Write all measurements to a file of JSON lines (`harl_mlir.records.exchange`), whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        with calling():
            Output(path_of("path", path)).write_bytes(b"".join(lines_of(self.file)))

    def import_(self, path: str | os.PathLike[str]) -> int:
        """Add the measurements that another database exported, but for those it holds; gives their number.

        Raises:
            InputError: the file cannot be read, or a line of it is no measurement; then nothing is added.
        """
        with calling():
            return add_lines(self.file, read_bytes(path_of("path", path)).splitlines(), str(path))


def _here(accuracy: Accuracy, threads: int = 1) -> Environment:
    return this_environment(this_processor(), threads, LOWERING_VERSION, accuracy)


def _tasks(
    pool: Pool, kernel: Source, function: str | None, shapes: ArgumentShapes | None
) -> tuple[Task, ...]:
    source = read_source(kernel, "kernel")
    return pool.analyse(
        source.text, source.name, name_of("function", function), dict(shapes_of(shapes))
    ).tasks
