"""The results file: settings, machine and every finished cell, written whole and at once after each.

A killed run loses the cell it was at; the same command goes on from the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from harl_mlir.errors import InputError, Place
from harl_mlir.files import Output
from harl_mlir.space.candidate import Candidate

Reason: TypeAlias = Literal["unsupported", "not_installed", "failed"]


class _Cell(msgspec.Struct, frozen=True, tag=True, tag_field="cell"):
    case: str


class _ContenderCell(_Cell, frozen=True):
    contender: str


class Tuned(_ContenderCell, frozen=True):
    """A contender of ours was tuned.

    Attributes:
        candidates: the chosen candidate of each task that is better tuned than not, by workload key.
        trials: candidates measured; `failures` of them failed.
        seconds: wall time, the search's start and the re-timing of the finalists included.
    """

    candidates: dict[str, Candidate]
    trials: int
    failures: int
    seconds: float


class Searched(_ContenderCell, frozen=True):
    """One run of `harl-mlir tune` as a process of its own.

    Attributes:
        agent: with what it started, as `live` was given it.
        budget: trials it was given.
        candidates: see `Tuned`.
        trials: of each candidate in the order measured, seconds from the process's start until it was
            recorded, and seconds of one call; None for one that failed.
        seconds: wall time until the process had ended.
    """

    agent: str
    seed: int
    budget: int
    candidates: dict[str, Candidate]
    trials: tuple[tuple[float, float | None], ...]
    seconds: float


class Decided(_ContenderCell, frozen=True):
    """A schedule was chosen for the one task of a case, by a search or without any.

    Attributes:
        candidate: None for the kernel as it came.
        seconds: from the analysed task to the candidate.
        evaluations: schedules that were looked at, estimated or measured.
        curve: whenever a search got better, the evaluations and seconds so far, and the value.
    """

    candidate: Candidate | None
    seconds: float
    evaluations: int = 0
    curve: tuple[tuple[int, float, float], ...] = ()


class Loaded(_ContenderCell, frozen=True, omit_defaults=True):
    """A peer built the case, and its result was right; `tuning_seconds` is what its search took."""

    build_seconds: float
    version: str
    tuning_seconds: float | None = None


class Absent(_ContenderCell, frozen=True):
    """A contender has no time for a case, and why in one sentence.

    `kind`: it has no such operation; or its environment could not be installed; or it failed on the case.
    """

    kind: Reason
    reason: str


class Slow(_ContenderCell, frozen=True):
    """A contender whose call takes too long for the passes.

    `seconds` is one call; None where it was given up after `slower_than`.
    """

    seconds: float | None = None
    slower_than: float | None = None


class Pass(_Cell, frozen=True, omit_defaults=True):
    """One pass over the contenders of a case; see `benchmarks.passes.Timed`."""

    number: int
    peaks: tuple[float, float]
    attempts: int
    disturbed: bool
    seconds: dict[str, list[float]]
    bandwidths: tuple[float, ...] = ()
    bandwidths_alone: tuple[float, ...] = ()
    bandwidths_beside: dict[str, tuple[float, float]] = {}


Cell: TypeAlias = Tuned | Searched | Decided | Loaded | Absent | Slow | Pass
_OfContender = TypeVar("_OfContender", Tuned, Searched, Decided, Loaded, Absent, Slow)


class _File(msgspec.Struct):
    settings: dict[str, Any]
    machine: dict[str, Any]
    cells: list[Cell]


class Results:
    """What has been measured so far.

    Args:
        file: read if it exists.
        settings, machine: of this run. Cells of other settings or another machine cannot be compared.

    Raises:
        InputError: the file is no results file, cannot be written, or is of other settings.
    """

    def __init__(self, file: Path, settings: Mapping[str, Any], machine: Mapping[str, Any]) -> None:
        self.settings = dict(settings)
        self.machine = dict(machine)
        self.cells: list[Cell] = []
        self._lock = threading.Lock()
        self._output = Output(file, "--json")
        self._summary: Mapping[str, Any] = {}
        if file.exists() and file.stat().st_size > 0:
            known = _read(file)
            self._refuse_others(file, known)
            for cell in known.cells:
                self._keep(cell)

    def add(self, cell: Cell) -> None:
        """Keep a finished cell, on the disk too. May be called from any thread."""
        with self._lock:
            self._keep(cell)
            self.write()

    def forget(self, case: str) -> None:
        """Drop all cells of a case: what they say is no longer so."""
        with self._lock:
            self.cells = [cell for cell in self.cells if cell.case != case]
            self.write()

    def write(self, summary: Mapping[str, Any] | None = None) -> None:
        """Write the file, with the last summary or a new one."""
        if summary is not None:
            self._summary = summary
        head = {**self._summary, "settings": self.settings, "machine": self.machine}
        text = msgspec.json.format(msgspec.json.encode(head), indent=1).decode()
        cells = ",\n".join(msgspec.json.encode(cell).decode() for cell in self.cells)
        self._output.write(f'{text.rstrip().removesuffix("}").rstrip()},\n "cells": [\n{cells}\n]}}\n')

    def of(self, kind: type[_OfContender], case: str) -> dict[str, _OfContender]:
        """The newest cells of a kind of a case, by contender."""
        return {c.contender: c for c in tuple(self.cells) if isinstance(c, kind) and c.case == case}

    def passes(self, case: str) -> dict[int, Pass]:
        """The passes of a case, by number and in the order of numbers."""
        made = (cell for cell in self.cells if isinstance(cell, Pass) and cell.case == case)
        return {cell.number: cell for cell in sorted(made, key=lambda cell: cell.number)}

    def timed(self) -> set[str]:
        """The contenders that were timed in any pass."""
        return {name for cell in self.cells if isinstance(cell, Pass) for name in cell.seconds}

    def _keep(self, cell: Cell) -> None:
        if isinstance(cell, Pass):
            # A pass that was made again, with more contenders, replaces the former.
            for index, old in enumerate(self.cells):
                if isinstance(old, Pass) and (old.case, old.number) == (cell.case, cell.number):
                    del self.cells[index]
                    break
        self.cells.append(cell)

    def _refuse_others(self, file: Path, known: _File) -> None:
        for what, old, new in (
            ("settings", known.settings, self.settings),
            ("machine", _processor(known.machine), _processor(self.machine)),
        ):
            if old != new:
                raise InputError(
                    f"its {what} were {old}, those of this run are {new}; name another file with --json",
                    Place(str(file)),
                )


def read_results(file: Path) -> Results:
    """The results of a file, to report on. Raises InputError."""
    known = _read(file)
    return Results(file, known.settings, known.machine)


def rounded(value: float) -> float:
    """To the five digits that figures of the file have."""
    return float(f"{value:.5g}")


def _processor(machine: Mapping[str, Any]) -> dict[str, Any]:
    return {"processor": machine.get("processor")}


def _read(file: Path) -> _File:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_File)
    except FileNotFoundError:
        raise InputError("there is no such file; check the name", Place(str(file))) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(
            f"this is no results file ({error}); name another one with --json", Place(str(file))
        ) from None
