"""The contenders that choose a loop nest, or another candidate, of one task."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.passes import ContenderError
from benchmarks.results import Decided
from harl_mlir.looptune.actions import PRODUCT
from harl_mlir.looptune.searches import Budget, Evaluator, Found, beam, greedy, random_walks
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.nest import LoopNest, plain_nest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import candidate_of
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tasks.task import Task

BEAM_WIDTH = 4


class NothingLearnedError(ContenderError):
    """The contender needs what was trained, and that is not there."""


class Learned(Protocol):
    """What was trained beforehand."""

    def walk(self, configuration: str, task: Task, rules: NestRules) -> tuple[LoopNest, int]:
        """The nest that the policy of a configuration chooses, and the nests that were estimated for it."""
        ...

    def estimator(self, task: Task, rules: NestRules) -> Evaluator:
        """Estimates of the nests of a task, none of them known beforehand."""
        ...


@dataclass(frozen=True)
class Asked:
    """A task to choose for.

    Attributes:
        learned: None where nothing was trained.
        estimates: budget of the searches by the estimate, that of the product's walk; None if that was not.
        seconds: budget of the searches by measured time.
        measured: see `Stage`.
    """

    task: Task
    rules: NestRules
    pool: Pool
    learned: Learned | None
    estimates: int | None
    seconds: float
    seed: int
    measured: bool


Chosen = tuple[Candidate | None, int, tuple[tuple[int, float, float], ...]]
"""The candidate, the evaluations and the curve of a `Decided`."""


def decided(case: str, name: str, asked: Asked) -> Decided:
    """What a contender of `DECISIONS` chooses.

    Raises:
        NothingLearnedError: it needs what was trained.
    """
    started = time.monotonic()
    candidate, evaluations, curve = DECISIONS[name](asked)
    seconds = time.monotonic() - started
    rounded = tuple((count, round(at, 3), float(f"{value:.5g}")) for count, at, value in curve)
    return Decided(case, name, candidate, round(seconds, 4), evaluations, rounded)


def _scalar(asked: Asked) -> Chosen:
    return None, 0, ()


def _untuned(asked: Asked) -> Chosen:
    nest = generated(plain_nest(asked.rules.op.dims), asked.rules)
    return candidate_of(nest, asked.rules), 0, ()


def _default(asked: Asked) -> Chosen:
    return sketches_for(asked.task, this_processor())[0].default(), 0, ()


def _walked(configuration: str) -> Callable[[Asked], Chosen]:
    def decide(asked: Asked) -> Chosen:
        nest, estimates = _learned(asked).walk(configuration, asked.task, asked.rules)
        return candidate_of(nest, asked.rules), estimates, ()

    return decide


_Search = Callable[[LoopNest, NestRules, Evaluator, Budget, int], Found]
_SEARCHES: Mapping[str, _Search] = {
    "greedy": lambda start, rules, evaluate, budget, seed: greedy(start, rules, evaluate, budget),
    "beam": lambda start, rules, evaluate, budget, seed: beam(start, rules, evaluate, budget, BEAM_WIDTH),
    "random": lambda start, rules, evaluate, budget, seed: random_walks(
        start, rules, evaluate, budget, PRODUCT.steps, seed
    ),
}


def _searched(name: str) -> Callable[[Asked], Chosen]:
    """A search over nests, in the moves of the product at any loop."""

    def decide(asked: Asked) -> Chosen:
        evaluate, budget = _measured(asked) if asked.measured else _estimated(asked)
        start = plain_nest(asked.rules.op.dims)
        found = _SEARCHES[name](start, asked.rules, evaluate, budget, asked.seed)
        return candidate_of(found.nest, asked.rules), found.evaluations, found.curve

    return decide


def _estimated(asked: Asked) -> tuple[Evaluator, Budget]:
    if asked.estimates is None:
        raise NothingLearnedError("There is no walk of the product whose budget it could have.")
    return _learned(asked).estimator(asked.task, asked.rules), asked.estimates


def _measured(asked: Asked) -> tuple[Evaluator, Budget]:
    until = time.monotonic() + asked.seconds
    return measured_rates(asked.pool, asked.task, asked.rules), lambda: time.monotonic() >= until


def measured_rates(pool: Pool, task: Task, rules: NestRules) -> Evaluator:
    """Nests by measured GFLOP/s, each of them checked; one that fails or is hopeless is worth nothing."""
    best: float | None = None

    def evaluate(nests: Sequence[LoopNest]) -> list[float]:
        nonlocal best
        rates = []
        for nest in nests:
            seconds = pool.measure(task, candidate_of(nest, rules), best=best).seconds
            if seconds is None:
                rates.append(float("-inf"))
                continue
            best = seconds if best is None else min(best, seconds)
            rates.append(task.flops / seconds / 1e9)
        return rates

    return evaluate


def _learned(asked: Asked) -> Learned:
    if asked.learned is None:
        raise NothingLearnedError("No trained weights are there.")
    return asked.learned


DECISIONS: Mapping[str, Callable[[Asked], Chosen]] = {
    "scalar": _scalar,
    "untuned": _untuned,
    "product": _walked("product"),
    "paper": _walked("paper"),
    "default": _default,
    **{name: _searched(name) for name in _SEARCHES},
}
