"""Writes measurements to the database as they are made, and outlives its failure."""

from __future__ import annotations

import time
from collections.abc import Iterable

from harl_mlir.errors import DatabaseError
from harl_mlir.measure.measurement import Measurement
from harl_mlir.records.database import Database
from harl_mlir.records.record import UNTUNED, Environment, Record, Stage
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task


class Recorder:
    """The database as the search sees it.

    Attributes:
        error: why recording has stopped, or None; the search ends then and keeps what it has.
    """

    def __init__(self, database: Database, environment: Environment, agent: str, seed: int) -> None:
        self.error: DatabaseError | None = None
        self._database = database
        self._environment = environment
        self._agent = agent
        self._seed = seed
        self._known: set[str] = set()
        self._numbers: dict[tuple[str, Candidate], int] = {}

    def stored(self, task: Task, spaces: Iterable[Space]) -> dict[Candidate, Measurement]:
        """The newest trial of each candidate that still belongs to one of the spaces."""
        held: dict[Candidate, Measurement] = {}
        for record in self._database.records(task.key, self._environment):
            if record.number is not None:
                self._numbers[task.key, record.candidate] = record.number
            if record.stage == "trial":
                held[record.candidate] = record.measurement
        spaces = tuple(spaces)
        return {c: m for c, m in held.items() if any(space.is_legal(c) for space in spaces)}

    def add(self, task: Task, stage: Stage, measured: dict[Candidate | None, Measurement]) -> None:
        """Record measurements in one transaction; None stands for the untuned kernel."""
        if self.error is not None:
            return
        now = time.time()
        records = [
            Record(
                task=task.key,
                candidate=candidate or UNTUNED,
                environment=self._environment,
                measurement=measurement,
                stage=stage,
                time=now,
                agent=self._agent,
                seed=self._seed,
            )
            for candidate, measurement in measured.items()
        ]
        try:
            if task.key not in self._known:
                self._database.add_task(task)
                self._known.add(task.key)
            numbers = self._database.add_all(records)
        except DatabaseError as error:
            self.error = error
            return
        for record, number in zip(records, numbers, strict=True):
            self._numbers[task.key, record.candidate] = number

    def number(self, task: Task, candidate: Candidate | None) -> int | None:
        """The number of a candidate's newest record, if it has one; None stands for the untuned kernel."""
        return self._numbers.get((task.key, candidate or UNTUNED))
