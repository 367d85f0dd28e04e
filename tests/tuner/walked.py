"""A walker that knows nothing: what is done with a walk is tried on it, without weights."""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.looptune.walker import Step, Walk, Walker
from harl_mlir.space.nest.nest import LoopNest, plain_nest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import legal_moves
from harl_mlir.tasks.task import Task


@dataclass(frozen=True)
class PlainStep:
    action: str
    nest: LoopNest
    estimate: float


@dataclass(frozen=True)
class PlainWalk:
    steps: tuple[Step, ...]
    best: tuple[LoopNest, ...]


def some_nests(rules: NestRules) -> tuple[LoopNest, ...]:
    """The plain nest and all that two moves make of it."""
    first = plain_nest(rules.op.dims)
    moves = legal_moves(first, rules)
    return tuple(dict.fromkeys([first, *moves, *(n for move in moves for n in legal_moves(move, rules))]))


def plain_walk(task: Task, rules: NestRules) -> Walk:
    """From the plain nest to the first legal one after it."""
    first, second, *others = some_nests(rules)
    steps = (PlainStep("start", first, 0.02), PlainStep("split 2", second, 0.25))
    return PlainWalk(steps, (second, first, *others))


PLAIN_WALKER = Walker(plain_walk, 200.0)
