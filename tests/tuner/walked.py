"""A walker that knows nothing: what is done with a walk is tried on it, without weights."""

from __future__ import annotations

from harl_mlir.looptune.walk import Step, Walk
from harl_mlir.space.nest.nest import LoopNest, plain_nest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import legal_moves
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.walks import Walker


def some_nests(rules: NestRules) -> tuple[LoopNest, ...]:
    """The plain nest and all that two moves make of it."""
    first = plain_nest(rules.op.dims)
    moves = legal_moves(first, rules)
    return tuple(dict.fromkeys([first, *moves, *(n for move in moves for n in legal_moves(move, rules))]))


def plain_walk(task: Task, rules: NestRules) -> Walk:
    """From the plain nest to the first legal one after it."""
    first, second, *others = some_nests(rules)
    best = (second, first, *others)
    estimates = (0.25, *[0.02] * (len(best) - 1))
    step = Step("split 2", second, 0, 0.25)
    return Walk(Step("start", first, 0, 0.02), (step,), (), best, estimates, len(best))


PLAIN_WALKER = Walker(plain_walk, 200.0)
