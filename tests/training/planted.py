"""Records of known times on real tasks and spaces: nothing is measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import Environment, Record
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.search.nest_columns import COLUMNS
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tasks.linalg_op import BodyOp, LinalgOp, Operand
from harl_mlir.tasks.task import Member, Source, Task, TensorType

HERE = Environment(this_processor().name, ("fma",), 1, "20261001", 1)


def add_task(rows: int, columns: int) -> Task:
    """The sum of two matrices."""
    shape, plain = (rows, columns), ((1, 0, 0), (0, 1, 0))
    op = LinalgOp(
        name="linalg.generic",
        dims=shape,
        iterators=("parallel", "parallel"),
        operands=tuple(Operand(shape, "f32", plain) for _ in range(3)),
        body=(BodyOp("arith.addf", (0, 1), "f32"),),
        yields=3,
    )
    types = tuple(TensorType(shape, "f32") for _ in range(2))
    sources = (Source("argument", 0), Source("argument", 1), Source("empty"))
    return Task(f"add-{rows}-{columns}", "module {}", types, (Member(op, sources),), 0, (0,))


def plant(path: Path, tasks: Sequence[Task], count: int = 40, processor: str = HERE.processor) -> None:
    """Draw candidates and record times that follow from the nests: smaller bodies are faster; some fail."""
    body = COLUMNS.index("body")
    environment = Environment(processor, HERE.features, 1, HERE.bindings, HERE.lowering)
    rng = np.random.default_rng(0)
    with Database(path) as database:
        for task in tasks:
            database.add_task(task)
            space = sketches_for(task, this_processor())[0]
            lattice = Lattice(space)
            states = list(dict.fromkeys(lattice.draw(rng, 4 * count)))[:count]
            bodies = SpaceFeatures(task, space).nest_rows(lattice.rows(states))[:, body]
            for number, (state, size) in enumerate(zip(states, bodies.tolist(), strict=True)):
                seconds = task.flops * 1e-9 * math.exp(0.4 * size)
                measured = failed("crash", "planted") if number % 11 == 10 else Measurement(seconds=seconds)
                candidate = lattice.candidate(state)
                database.add(Record(task.key, candidate, environment, measured, "trial", 1.0, "random", 0))
