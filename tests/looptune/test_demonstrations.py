"""Ways to nests that are known."""

from __future__ import annotations

import random

import pytest

from harl_mlir.looptune.actions import PRODUCT, successors
from harl_mlir.looptune.demonstrations import demonstration, way_to
from harl_mlir.looptune.sampling import draw
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.task import Task
from tests.looptune.landscapes import Told, matmul_problem
from tests.looptune.problems import CONV, MATMUL, rules_of

RNG = random.Random(0)


def followed(actions: list[int], rules: NestRules) -> WalkState:
    state = start(rules.op.dims)
    for action in actions:
        after = successors(state, PRODUCT, rules)[action]
        assert after is not None
        state = after
    return state


def names(actions: list[int]) -> list[str]:
    return [PRODUCT.actions[action].name for action in actions]


def test_a_way_by_hand() -> None:
    rules = matmul_problem(64, 16, 8)[1]
    actions = way_to(parse(rules.op.dims, "0/1 2/1 1/1v"), rules)
    assert actions is not None
    assert names(actions) == ["cursor 2", "swap up", "vector", "stop"]


@pytest.mark.parametrize("task", [MATMUL, CONV], ids=["matmul", "conv"])
def test_ways_lead_to_their_nests(task: Task) -> None:
    rules, rng = rules_of(task), random.Random(1)
    found = 0
    for _ in range(150):
        nest = draw(rules, rng)
        actions = way_to(nest, rules)
        if actions is not None:
            found += 1
            assert len(actions) <= PRODUCT.steps
            assert names(actions)[-1] == "stop"
            assert "stop" not in names(actions)[:-1]
            assert followed(actions, rules).nest == nest
    assert found > 60


def test_where_there_is_no_way() -> None:
    rules = rules_of(MATMUL)
    # Steps of 24 are no split of these.
    assert way_to(parse(rules.op.dims, "0/24 1/1 2/1 0/1"), rules) is None
    # Legal elsewhere, but not here: a vector along rows.
    assert way_to(parse(rules.op.dims, "2/1 1/1 0/1v"), rules) is None


def test_the_best_of_what_is_legal_is_shown() -> None:
    problem = matmul_problem(4, 16, 8)
    good = ["2/1 0/1 1/1v", "0/1 2/1 1/1v", "0/1 1/1 2/1", "3/1", "0/16 0/1 1/1 2/1v"]
    for seed in range(5):
        actions = demonstration(problem, good, Told(), random.Random(seed))
        assert actions is not None
        assert followed(actions, problem[1]).nest.text() == "0/1 2/1 1/1v"
    assert demonstration(problem, [], Told(), RNG) is None
    assert demonstration(problem, ["3/1", "nothing"], Told(), RNG) is None
