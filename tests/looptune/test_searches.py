"""Searches over nests on small landscapes whose best nest is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from harl_mlir.looptune.searches import Budget, Evaluator, Found, beam, greedy, random_walks
from harl_mlir.space.nest.nest import LoopNest, plain_nest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import legal_moves
from tests.search.landscapes import matmul_task

RULES = NestRules(matmul_task(8, 32, 4).anchor_op, lanes=16, registers=32)
START = plain_nest((8, 32, 4))
ENOUGH = 3000
Search = Callable[[Evaluator, Budget], Found]
SEARCHES: dict[str, Search] = {
    "greedy": lambda evaluate, budget: greedy(START, RULES, evaluate, budget),
    "beam": lambda evaluate, budget: beam(START, RULES, evaluate, budget, width=4),
    "random": lambda evaluate, budget: random_walks(START, RULES, evaluate, budget, steps=6, seed=3),
}


class Landscape:
    """Values by a rule; notes what it was asked for."""

    def __init__(self, value: Callable[[LoopNest], float]) -> None:
        self.asked: list[LoopNest] = []
        self._value = value

    def __call__(self, nests: Sequence[LoopNest]) -> list[float]:
        self.asked += nests
        return [self._value(nest) for nest in nests]


def layers() -> dict[LoopNest, int]:
    """How many moves every nest within four of the start is away from it."""
    found, front = {START: 0}, [START]
    for distance in range(1, 5):
        made = [move for nest in front for move in legal_moves(nest, RULES)]
        front = [nest for nest in dict.fromkeys(made) if nest not in found]
        found |= dict.fromkeys(front, distance)
    return found


LAYERS = layers()
FAR = max(LAYERS, key=LAYERS.__getitem__)
"""Four moves from the start."""


def uphill() -> Callable[[LoopNest], float]:
    """A hill whose top is `FAR`: a step down for each move away from it."""
    found, front = {FAR: 0}, [FAR]
    for distance in range(1, 5):
        made = [move for nest in front for move in legal_moves(nest, RULES)]
        front = [nest for nest in dict.fromkeys(made) if nest not in found]
        found |= dict.fromkeys(front, distance)
    assert START in found
    return lambda nest: -found.get(nest, 99)


@pytest.mark.parametrize("name", ["greedy", "beam"])
def test_a_hill_is_climbed(name: str) -> None:
    landscape = Landscape(uphill())
    found = SEARCHES[name](landscape, 2000)
    assert (found.nest, found.value) == (FAR, 0.0)
    assert [value for _, _, value in found.curve] == [-4, -3, -2, -1, 0]


def test_greedy_ends_where_no_neighbour_is_better_and_a_beam_does_not() -> None:
    def valley(nest: LoopNest) -> float:
        return {0: 2.0, 1: 1.0}.get(LAYERS.get(nest, 9), 0.0) if nest != FAR else 7.0

    landscape = Landscape(valley)
    found = SEARCHES["greedy"](landscape, ENOUGH)
    assert (found.nest, found.value) == (START, 2.0)
    assert found.evaluations == len(landscape.asked) == 1 + len(legal_moves(START, RULES))
    found = beam(START, RULES, Landscape(valley), len(LAYERS), width=1000)
    assert (found.nest, found.value) == (FAR, 7.0)


def test_a_beam_keeps_the_best_of_all_successors_by_value() -> None:
    first = legal_moves(START, RULES)
    good = first[-1]
    landscape = Landscape(lambda nest: {START: 5.0, good: 1.0}.get(nest, 0.0))
    beam(START, RULES, landscape, 60, width=1)
    behind = [nest for nest in legal_moves(good, RULES) if nest not in {START, *first}]
    assert landscape.asked[: 1 + len(first) + len(behind)] == [START, *first, *behind]


@pytest.mark.parametrize("name", SEARCHES)
def test_the_budget_counts_every_nest_once(name: str) -> None:
    landscape = Landscape(lambda nest: -LAYERS.get(nest, 9) % 5)
    found = SEARCHES[name](landscape, 17)
    assert len(landscape.asked) == len(set(landscape.asked)) == found.evaluations <= 17
    assert name == "greedy" or found.evaluations == 17
    assert found.value == max(-LAYERS.get(nest, 9) % 5 for nest in landscape.asked)
    assert all(RULES.is_legal(nest) for nest in landscape.asked)
    assert [value for _, _, value in found.curve] == sorted({value for _, _, value in found.curve})
    again = SEARCHES[name](Landscape(lambda nest: -LAYERS.get(nest, 9) % 5), 17)
    assert (again.nest, again.evaluations) == (found.nest, found.evaluations)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_ends_when_it_is_told_but_not_before_the_start_has_a_value(name: str) -> None:
    landscape = Landscape(uphill())
    assert SEARCHES[name](landscape, lambda: True).nest == START
    assert landscape.asked == [START]
    landscape = Landscape(uphill())
    assert SEARCHES[name](landscape, lambda: len(landscape.asked) >= 9).evaluations == 9
    assert SEARCHES[name](Landscape(uphill()), 0).evaluations == 1


def test_nests_that_cannot_be_had_lose_to_any_other() -> None:
    found = SEARCHES["random"](Landscape(lambda nest: 1.0 if nest == START else float("-inf")), 30)
    assert (found.nest, found.evaluations) == (START, 30)


def test_random_walks_differ_by_seed_alone_and_end_in_a_small_space() -> None:
    first, second = (Landscape(lambda nest: 0.0) for _ in range(2))
    random_walks(START, RULES, first, 50, steps=6, seed=1)
    random_walks(START, RULES, second, 50, steps=6, seed=2)
    assert first.asked != second.asked
    tiny = NestRules(matmul_task(1, 2, 1).anchor_op, lanes=16, registers=32)
    found = random_walks(plain_nest((1, 2, 1)), tiny, Landscape(lambda nest: 0.0), ENOUGH, steps=3, seed=0)
    assert found.evaluations < 10
