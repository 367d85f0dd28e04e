"""The agent behind a walk: a handful of nests, best first, and the defaults of other spaces."""

from __future__ import annotations

from harl_mlir.looptune.agent import HANDFUL, LoopTune
from harl_mlir.measure.measurement import Measurement
from harl_mlir.processor import this_processor
from harl_mlir.search.agent import Problem, Proposal, Trial
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.space import candidate_of, nest_space, rules_for
from harl_mlir.space.space import Space
from tests.small_task import matmul_task
from tests.tuner.recorded import tile_space
from tests.tuner.walked import some_nests

TASK = matmul_task()
RULES = rules_for(TASK, this_processor())
assert RULES is not None
FIRST, *NEXT = some_nests(RULES)


def walked(count: int) -> Space:
    space = nest_space(TASK, this_processor(), default=FIRST, others=[FIRST, *NEXT[:count]])
    assert space is not None
    return space


def proposals(problem: int, nests: list[LoopNest]) -> list[Proposal]:
    assert RULES is not None
    return [Proposal(problem, candidate_of(nest, RULES)) for nest in nests]


def test_a_handful_of_each_walk_and_the_default_of_any_other_space() -> None:
    other = tile_space(default=3)
    problems = [
        Problem(TASK, (walked(HANDFUL + 2), other)),
        Problem(TASK, (walked(1),)),
        Problem(TASK, (other,)),
    ]
    found: list[Proposal] = []
    agent = LoopTune(problems)
    while some := agent.propose(3):
        found += some
    of_problem = [[p for p in found if p.problem == number] for number in range(3)]
    default = Proposal(0, other.default())
    assert [p for p in of_problem[0] if p != default] == proposals(0, [FIRST, *NEXT[: HANDFUL - 1]])
    assert default in of_problem[0]
    assert of_problem[1] == proposals(1, [FIRST, NEXT[0]])
    assert of_problem[2] == [Proposal(2, other.default())]
    assert {p.problem for p in found[:4]} == {0, 1, 2}


def test_what_was_measured_is_not_proposed_again() -> None:
    agent = LoopTune([Problem(TASK, (walked(2),))])
    first, second, third = proposals(0, [FIRST, *NEXT[:2]])
    agent.observe([Trial(p, Measurement(seconds=1.0)) for p in (first, third)])
    assert agent.propose(8) == [second]


def test_every_legal_nest_belongs_to_a_space_that_lists_a_few() -> None:
    assert RULES is not None
    space = walked(1)
    assert space.size() == 2
    assert space.is_legal(candidate_of(NEXT[5], RULES))
