"""A schedule library in the hands of a program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import Self

from harl_mlir.accuracy import Accuracy
from harl_mlir.api.arguments import name_of, path_of
from harl_mlir.api.source import ArgumentShapes, Source, Text, read_source, shapes_of
from harl_mlir.api.working import worker
from harl_mlir.files import Output
from harl_mlir.measure.answers import Applied
from harl_mlir.space.entry import LibraryFacts, ScheduleFacts


class ScheduleLibrary:
    """Schedules for linalg ops, each applied wherever its task is found.

    A library is a transform module: `text` is all there is to it, and any MLIR 22 tool applies it
    (`transform-preload-library`). What it tells of itself is read when it is first asked for, in a worker.
    `len` and iteration are those of `entries`; a library without schedules is false. Two libraries of the
    same text are equal.

    Args:
        library: its text, or its file.

    Raises:
        InputError: the file cannot be read, or a str is a file's name. What the text holds is checked when it
            is looked at: `entries`, what was tuned for, and `apply` raise InputError with the place then.
    """

    def __init__(self, library: Source) -> None:
        self._source: Text = read_source(library, "library")

    @classmethod
    def _known(cls, text: str, facts: LibraryFacts) -> Self:
        """A library that tells these facts."""
        made = cls.__new__(cls)
        made._source = Text(text, "library")
        made.__dict__["_facts"] = facts
        return made

    @property
    def text(self) -> str:
        """The transform module."""
        return self._source.text

    @property
    def name(self) -> str:
        """What it is called in messages: its file, or `library`."""
        return self._source.name

    @property
    def entries(self) -> tuple[ScheduleFacts, ...]:
        """Key, label, sketch and version of each schedule, in the order in which they are applied."""
        return self._facts.schedules

    @property
    def processor(self) -> str:
        """The name of the processor it was tuned on."""
        return self._facts.provenance.processor

    @property
    def features(self) -> tuple[str, ...]:
        """That processor's features."""
        return self._facts.provenance.features

    @property
    def accuracy(self) -> Accuracy:
        """What its schedules may do to floating-point arithmetic."""
        return self._facts.provenance.accuracy

    @property
    def threads(self) -> int:
        """How many threads it was tuned for."""
        return self._facts.provenance.threads

    def apply(
        self, kernel: Source, *, function: str | None = None, shapes: ArgumentShapes | None = None
    ) -> Applied:
        """Apply the schedules to a kernel.

        Args:
            kernel: MLIR text or a file: linalg ops on tensors or memrefs.
            function: apply them to this function only.
            shapes: static shapes for arguments with dynamic dims.

        Returns:
            `text`, the scheduled module, and `outcomes`: of each linalg op in program order whether it
            `matched`, and if not, the reason in `message`. That nothing matches is no error.

        Raises:
            InputError: the kernel or the library was refused.
        """
        source, given = read_source(kernel, "kernel"), dict(shapes_of(shapes))
        function = name_of("function", function)
        with worker() as pool:
            return pool.apply(source.text, source.name, self.text, function, given, self.name)

    def __or__(self, other: ScheduleLibrary) -> ScheduleLibrary:
        """One library of two, as of two dicts: where both have a schedule for a task it is the other's.

        Raises:
            InputError: they were not tuned on the same processor under the same accuracy.
        """
        if not isinstance(other, ScheduleLibrary):
            return NotImplemented
        names = (
            ("the left library", "the right library") if self.name == other.name else (self.name, other.name)
        )
        with worker() as pool:
            text = pool.merge(self.text, other.text, *names)
            return ScheduleLibrary._known(text, pool.inspect(text))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the library to a file, whole or not at all; a symbolic link is followed.

        Raises:
            InputError: it cannot be written.
        """
        Output(path_of("path", path)).write(self.text)

    @cached_property
    def _facts(self) -> LibraryFacts:
        with worker() as pool:
            return pool.inspect(self.text, self.name)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[ScheduleFacts]:
        return iter(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScheduleLibrary) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        if "_facts" not in self.__dict__:
            return f"<ScheduleLibrary of {len(self.text)} characters>"
        return f"<ScheduleLibrary of {len(self)} schedules for {self.processor}>"
