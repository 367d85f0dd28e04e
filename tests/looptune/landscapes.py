"""Made-up shares of loop nests, and records of them: what is trained on where nothing is measured."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.looptune.sampling import draw
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import Record, this_environment
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import candidate_of
from harl_mlir.tasks.task import Task
from tests.looptune.problems import rules_of
from tests.space.sketches.test_contraction_space import matmul

Problem = tuple[Task, NestRules]

HERE = this_environment(this_processor(), 1, LOWERING_VERSION)
PEAK = 1e11


def matmul_problem(m: int, n: int, k: int) -> Problem:
    """A matmul with a key of its own, and its rules for 16 lanes and 32 registers."""
    task = replace(matmul(m, n, k), key=f"matmul-{m}-{n}-{k}")
    return task, rules_of(task)


def vector_in_sum(rules: NestRules, nest: LoopNest) -> float:
    """1 where a vector of results is innermost, directly in the reduction; half of it without the vector."""
    kinds = [rules.op.iterators[loop.dim] for loop in nest.loops[-2:]]
    if kinds != ["reduction", "parallel"]:
        return 0.2 if kinds[-1] == "parallel" and not nest.marked else 0.1
    return 1.0 if nest.loops[-1].mark else 0.5


def tiled(rules: NestRules, nest: LoopNest) -> float:
    """Uneven, with the best for large register tiles in the innermost reduction loop."""
    if not nest.marked:
        return 0.02 + 0.01 * sum(step % 16 == 0 for step in (loop.step for loop in nest.loops))
    registers, body = rules.register_tile(nest)
    first = len(nest.loops) - nest.marked
    summed = first > 0 and rules.op.iterators[nest.loops[first - 1].dim] == "reduction"
    return min(1.0, 0.1 + 0.7 * registers / rules.registers * (1.0 if summed else 0.4) + 0.002 * body)


@dataclass
class Told:
    """Shares by `vector_in_sum`, as an estimate. `asked` counts the nests."""

    asked: int = field(default=0)

    def of_problems(self, problems: Sequence[Problem], nests: Sequence[LoopNest]) -> NDArray[np.float64]:
        """The share of each nest."""
        self.asked += len(nests)
        each = zip(problems, nests, strict=True)
        return np.array([vector_in_sum(rules, nest) for (_, rules), nest in each])


def record(task: Task, rules: NestRules, nest: LoopNest, share: float) -> Record:
    """A record of a nest that reaches a share of `PEAK`; 0 for one that failed."""
    measured = Measurement(seconds=task.flops / (share * PEAK)) if share else failed("crash", "planted")
    return Record(task.key, candidate_of(nest, rules), HERE, measured, "trial", 1.0, "looptune", 0)


def records(problem: Problem, count: int, seed: int, scale: float = 1.0) -> list[Record]:
    """Records of `count` drawn nests with shares by `tiled` times `scale`, one in twelve a failure."""
    task, rules = problem
    rng = random.Random(f"{task.key} {seed}")
    nests = [draw(rules, rng) for _ in range(count)]
    shares = [0.0 if number % 12 == 11 else scale * tiled(rules, nest) for number, nest in enumerate(nests)]
    return [record(task, rules, nest, share) for nest, share in zip(nests, shares, strict=True)]


def plant(database: Database, problems: Sequence[Problem], count: int, scale: float = 1.0) -> None:
    """Write `records` of each problem."""
    for problem in problems:
        database.add_task(problem[0])
        database.add_all(records(problem, count, 0, scale))
