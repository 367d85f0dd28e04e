"""What actions make of states, which apply, and how few reach good nests."""

from __future__ import annotations

import random

import pytest

from harl_mlir.looptune.actions import CONFIGURATIONS, PAPER, PRODUCT, STOP, Configuration, successors
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.task import Task
from tests.looptune.problems import CONV, MATMUL, rules_of
from tests.space.sketches.test_contraction_space import matmul

_RULES = rules_of(MATMUL)


def _after(state: WalkState, *names: str, configuration: Configuration = PRODUCT) -> WalkState:
    for name in names:
        made = successors(state, configuration, _RULES)[_number(name, configuration)]
        assert made is not None, f"{name} does not apply to {state.nest.text()}"
        state = made
    return state


def _number(name: str, configuration: Configuration = PRODUCT) -> int:
    return [action.name for action in configuration.actions].index(name)


def _state(text: str, cursor: int = 0) -> WalkState:
    return WalkState(parse(MATMUL.anchor_op.dims, text), cursor)


def _possible(state: WalkState, configuration: Configuration = PRODUCT) -> set[str]:
    found = zip(configuration.actions, successors(state, configuration, _RULES), strict=True)
    return {action.name for action, made in found if made is not None}


def test_the_actions_of_each_configuration() -> None:
    paper = "up, down, swap up, swap down, split 4, split 8, split 16"
    assert ", ".join(action.name for action in PAPER.actions) == paper
    assert (PAPER.steps, PRODUCT.steps) == (10, 30)
    names = [action.name for action in PRODUCT.actions]
    assert names[:12] == [
        *("up", "down", "swap up", "swap down"),
        *("split 2", "split 4", "split 8", "split 16", "split 32"),
        *("merge", "vector", "unroll"),
    ]
    assert names[12:] == [*(f"cursor {n}" for n in range(12)), STOP]


@pytest.mark.parametrize(
    ("given", "cursor", "action", "made", "after"),
    [
        ("0/1 1/1 2/1", 0, "down", "0/1 1/1 2/1", 1),
        ("0/1 1/1 2/1", 2, "up", "0/1 1/1 2/1", 1),
        ("0/1 1/1 2/1", 2, "cursor 0", "0/1 1/1 2/1", 0),
        ("0/1 1/1 2/1", 0, "swap down", "1/1 0/1 2/1", 1),
        ("0/1 1/1 2/1", 2, "swap up", "0/1 2/1 1/1", 1),
        ("0/1 1/1 2/1", 1, "split 32", "0/1 1/32 1/1 2/1", 2),
        ("0/8 0/1 1/1 2/1", 0, "split 2", "0/16 0/8 0/1 1/1 2/1", 1),
        ("0/8 0/1 1/1 2/1", 0, "merge", "0/1 1/1 2/1", 0),
        ("0/8 0/1 1/1 2/1", 1, "merge", "0/1 1/1 2/1", 0),
        ("0/1 2/1 1/16 1/1", 0, "vector", "0/1 2/1 1/16 1/1v", 0),
        ("2/1 1/16 0/8 0/1 1/1v", 4, "unroll", "2/1 1/16 0/8 0/1u 1/1v", 4),
        ("0/1 1/1 2/1", 1, "stop", "0/1 1/1 2/1", 1),
    ],
)
def test_what_actions_make(given: str, cursor: int, action: str, made: str, after: int) -> None:
    assert _after(_state(given, cursor), action) == _state(made, after)


def test_what_does_not_apply_is_masked() -> None:
    innermost = {"up", "swap up", "cursor 0", "cursor 1", "stop"} | {f"split {n}" for n in (2, 4, 8, 16, 32)}
    assert _possible(_state("0/1 1/1 2/1", 2)) == innermost
    # 96 columns are no vector, 32 are; a register tile of 64 rows has no room; marked loops stay.
    assert "vector" not in _possible(_state("0/1 2/1 1/1"))
    assert "vector" in _possible(_state("0/1 2/1 1/32 1/1"))
    assert "unroll" not in _possible(_state("2/1 1/32 0/1 1/1v"))
    assert not _possible(_state("2/1 1/32 0/8 0/1 1/1v", 4)) & {"merge", "swap up", "split 2"}


def test_register_tiles_are_reached_in_few_steps() -> None:
    """An inner part goes inwards at once, so three loops become a tile in a dozen steps."""
    names = (
        *("split 8", "swap down", "swap down", "cursor 1", "split 32", "swap down", "swap down"),
        *("cursor 2", "split 4", "vector", "unroll", "unroll"),
    )
    state = _after(start(MATMUL.anchor_op.dims), *names)
    assert state.nest.text() == "0/8 1/32 2/4 2/1u 0/1u 1/1v"
    assert len(names) == 12


def test_paper_leaves_marks_to_the_code_generator() -> None:
    state = _after(start(MATMUL.anchor_op.dims), "down", "swap down", configuration=PAPER)
    assert state.nest.text() == "0/1 2/1 1/1"
    assert PAPER.realised(state.nest, _RULES).text() == "0/1 2/1 1/32u 1/1v"
    assert PRODUCT.realised(state.nest, _RULES) == state.nest


def test_where_nothing_applies_the_first_action_changes_nothing() -> None:
    task = matmul(1, 3, 1)
    rules = rules_of(matmul(1, 3, 2))
    rules = NestRules(task.anchor_op, rules.lanes, rules.registers)
    state = start(task.anchor_op.dims)
    assert successors(state, PAPER, rules) == (state, *[None] * 6)


@pytest.mark.parametrize("task", [MATMUL, CONV], ids=["matmul", "conv"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda c: str(c.name))
def test_walks_stay_among_legal_nests(task: Task, configuration: Configuration) -> None:
    rules, rng = rules_of(task), random.Random(5)
    for _ in range(20):
        state = start(task.anchor_op.dims)
        for _ in range(configuration.steps):
            found = successors(state, configuration, rules)
            assert len(found) == len(configuration.actions)
            state = rng.choice([made for made in found if made is not None])
            assert rules.is_legal(state.nest)
            assert rules.is_legal(configuration.realised(state.nest, rules))
            assert 0 <= state.cursor < len(state.nest.loops) <= configuration.most_loops
