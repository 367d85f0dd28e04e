"""Nests that are drawn to be measured."""

from __future__ import annotations

import random

import pytest

from harl_mlir.looptune.sampling import approach, bare, draw, transfer, vary
from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.nest import parse, plain_nest
from harl_mlir.tasks.task import Task
from tests.looptune.problems import CONV, MATMUL, rules_of

GOOD = "0/8 1/32 2/1 0/1u 1/1v"


@pytest.mark.parametrize("task", [MATMUL, CONV], ids=["matmul", "conv"])
def test_drawn_nests_are_legal_and_of_all_kinds(task: Task) -> None:
    rules, rng = rules_of(task), random.Random(0)
    nests = [draw(rules, rng) for _ in range(300)]
    assert all(rules.is_legal(nest) for nest in nests)
    assert len(set(nests)) > 200
    marked = [nest for nest in nests if nest.marked]
    # Vectors cannot lie along every loop that comes to be the innermost.
    assert 0.25 < len(marked) / len(nests) < 0.9
    assert {nest.marked for nest in marked} >= {1, 2, 3}
    again = random.Random(0)
    assert [draw(rules, again) for _ in range(300)] == nests


@pytest.mark.parametrize("moves", [0, 1, 3])
def test_varied_nests_are_legal_and_near(moves: int) -> None:
    rules, rng = rules_of(MATMUL), random.Random(1)
    nest = parse(MATMUL.anchor_op.dims, GOOD)
    found = [vary(nest, rules, rng, moves) for _ in range(100)]
    assert all(rules.is_legal(each) for each in found)
    loops = {tuple((loop.dim, loop.step) for loop in each.loops) for each in found}
    same = tuple((loop.dim, loop.step) for loop in nest.loops)
    if moves:
        assert len(loops) > 3
    else:
        # The tile is as it was, with marks of its own; 80 steps of k are too many for a body.
        assert loops == {same}
        assert {each.marked for each in found} == {1, 2}


def test_nests_are_carried_over_where_they_are_legal() -> None:
    rules = rules_of(MATMUL)
    found = transfer(GOOD, rules)
    assert found == parse(MATMUL.anchor_op.dims, GOOD)
    # Steps of the whole of a dimension are no loops there: 64 rows, 96 columns.
    shortened = transfer("0/64 1/96 1/32 2/1 0/8 0/1u 1/1v", rules)
    assert shortened == parse(MATMUL.anchor_op.dims, "1/32 2/1 0/8 0/1u 1/1v")
    for text in ("3/1 0/1", "no nest", "0/8 1/32 2/1 0/1u", "0/5 1/7 2/9 0/1 1/1 2/1"):
        assert transfer(text, rules) is None
    plain = plain_nest(MATMUL.anchor_op.dims)
    assert transfer(plain.text(), rules) == plain
    assert transfer(generated(plain, rules).text(), rules) == generated(plain, rules)


def test_approached_nests_are_legal_without_marks_and_near() -> None:
    rules, rng = rules_of(MATMUL), random.Random(2)
    nest = parse(MATMUL.anchor_op.dims, GOOD)
    assert approach(GOOD, rules, rng, 0) == bare(nest) == parse(nest.dims, "0/8 1/32 2/1 0/1 1/1")
    found = [approach(GOOD, rules, rng, 4) for _ in range(50)]
    assert all(each is not None and rules.is_legal(each) and not each.marked for each in found)
    assert len(set(found)) > 20
    assert approach("0/5 0/1", rules, rng, 4) is None
