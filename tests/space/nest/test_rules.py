"""Which nests are legal."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.space.nest.moves import all_moves
from harl_mlir.space.nest.nest import LoopNest, parse, plain_nest
from harl_mlir.space.nest.pieces import pieces_of
from harl_mlir.space.nest.rules import NestRules, is_width
from harl_mlir.space.nest.space import candidate_of, legal_moves, nest_space, rules_for
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR, combine, row, task_of
from tests.space.sketches.test_contraction_space import conv, matmul

_MATMUL = matmul(64, 96, 80)


def _rules(task: Task) -> NestRules:
    rules = rules_for(task, PROCESSOR)
    assert rules is not None
    return rules


def _is_legal(text: str, task: Task = _MATMUL) -> bool:
    return _rules(task).is_legal(parse(task.anchor_op.dims, text))


@pytest.mark.parametrize(
    "text",
    [
        "0/1 1/1 2/1",
        "2/1 1/1 0/1",
        "0/16 1/32 2/4 0/8 2/1 0/1 1/1",
        "0/8 1/32 2/4 2/1u 0/1u 1/1v",
        # Tails of 64 = 2 * 24 + 16 and 96 = 2 * 40 + 16.
        "0/24 1/40 2/1 0/1 1/1",
        "0/24 1/1 2/1 0/8 0/1",
        # A vector of the summed dimension; the rest of 80 = 2 * 32 + 16 is one too.
        "0/1 1/1 2/16 2/1v",
        "0/1 1/1 2/32 2/1v",
        # Thirteen rows of two registers, and a vector of B.
        "1/32 0/13 2/1 0/1u 1/1v",
    ],
)
def test_legal(text: str) -> None:
    task = matmul(52, 96, 80) if "0/13" in text else _MATMUL
    assert _is_legal(text, task)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0/1 1/1", "no loop for k"),
        ("0/1 1/1 2/2", "k does not end with one"),
        ("0/64 0/1 1/1 2/1", "a loop of one step"),
        ("0/8 0/8 0/1 1/1 2/1", "a loop of one step"),
        ("0/1 0/8 1/1 2/1", "steps grow"),
        ("0/12 0/8 0/1 1/1 2/1", "12 is no multiple of 8"),
        ("0/48 0/1 1/1 2/1", "one whole step and a tail"),
        ("0/28 0/7 0/1 1/1 2/1", "the tail of 8 is more than 7 and no multiple of it"),
        ("0/1 1/1 2/1u", "unrolled around no vector"),
        ("0/1u 2/1 1/16 1/1", "marked outside of what is not"),
        ("0/1 2/1 1/16v 1/1v", "two vectors"),
        ("0/1 2/1 1/1v", "96 elements are no vector"),
        ("0/1 2/1 1/40 1/1v", "40 elements are no vector"),
        ("1/1 2/1 0/16 0/1v", "rows are not contiguous"),
        ("1/32 2/1 0/16 0/1u 1/1v", "32 registers and one of B"),
        ("0/1 1/16 2/40 2/8u 2/1u 1/1v", "k unrolled twice"),
        ("1/32 0/1 2/24u 2/1 1/1v", "marked outside of what is not"),
        ("0/24 1/32 2/1 1/16u 0/1u 1/1v", "24 rows of two registers"),
        ("1/32 2/1 0/24u 0/1u 1/1v", "an unrolled loop has a tail"),
    ],
)
def test_illegal(text: str, why: str) -> None:
    assert not _is_legal(text), why


def test_bodies_have_an_end() -> None:
    task = matmul(64, 128, 80)
    assert _is_legal("0/2 1/64 2/16 2/1u 0/1u 1/1v", task)
    assert not _is_legal("0/2 1/64 2/20 2/1u 0/1u 1/1v", task)


def test_loops_have_an_end() -> None:
    task = matmul(64, 64, 64)
    halves = " ".join(f"{d}/{2**n}" for n in (5, 4, 3, 2) for d in range(3))
    assert not _is_legal(f"{halves} 0/1 1/1 2/1", task)
    assert _is_legal(" ".join(halves.split()[3:]) + " 0/1 1/1 2/1", task)


def test_tails_of_three_dimensions_are_too_many_pieces() -> None:
    task = matmul(65, 65, 65)
    assert _is_legal("0/8 1/8 2/1 0/1 1/1", task)
    assert not _is_legal("0/8 1/8 2/8 0/1 1/1 2/1", task)


def test_widths_of_vectors() -> None:
    assert [n for n in range(1, 80) if is_width(n, 16)] == [*range(1, 17), 32, 64]


def test_dimensions_of_vectors() -> None:
    assert _rules(_MATMUL).vector_dims == (1, 2)
    assert _rules(matmul(64, 96, 80, transposed=True)).vector_dims == (2,)
    assert _rules(matmul(64, 1, 80)).vector_dims == (2,)
    # Filters, and channels in both.
    assert _rules(conv(16, 48, 30, 2, first=False)).vector_dims == (0, 2)


def test_integers_are_summed_by_element() -> None:
    assert _rules(matmul(64, 96, 80, element="i32")).vector_dims == (1,)


def test_which_tasks_have_rules() -> None:
    assert rules_for(_MATMUL, PROCESSOR, "strict") is None
    assert rules_for(matmul(1, 1, 1), PROCESSOR) is None
    add = task_of((8, 8), "pp", [[row(2, d0=1), row(2, d1=1)]] * 2, [0, 1], [combine("arith.addf", 0, 1)])
    assert rules_for(add, PROCESSOR) is None
    halves = replace(_MATMUL.anchor_op.operands[0], element="f16")
    op = replace(_MATMUL.anchor_op, operands=(halves, *_MATMUL.anchor_op.operands[1:]))
    mixed = replace(_MATMUL, members=(replace(_MATMUL.members[0], op=op),))
    assert rules_for(mixed, PROCESSOR) is None


_TASKS = [_MATMUL, matmul(70, 45, 100), conv(16, 48, 30, 1, first=False), conv(8, 20, 29, 1, first=True)]


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(_TASKS), st.sampled_from((4, 8, 16)), st.integers(0, 1 << 20))
def test_rules_know_the_pieces(task: Task, lanes: int, seed: int) -> None:
    """Legal nests have few pieces, and vectors of good widths in all of them."""
    rules, rng = NestRules(task.anchor_op, lanes, 32), random.Random(seed)
    nest = plain_nest(task.anchor_op.dims)
    for _ in range(12):
        for made in all_moves(nest):
            if rules.is_legal(made):
                assert len(pieces_of(made)) <= 4
                assert not made.marked or all(is_width(width, lanes) for width in _widths(made))
        nest = rng.choice(legal_moves(nest, rules))


def _widths(nest: LoopNest) -> set[int]:
    return {piece.left[-2][nest.loops[-1].dim] for piece in pieces_of(nest)}


def test_the_space_has_all_legal_nests_and_no_other() -> None:
    space = nest_space(_MATMUL, PROCESSOR)
    assert space is not None
    assert space.is_legal(space.default())
    assert space.default()["nest"] == "0/1 1/1 2/32 2/1v"
    rules = _rules(_MATMUL)
    assert space.is_legal(candidate_of(parse((64, 96, 80), "0/8 1/32 2/1 0/1u 1/1v"), rules))
    for text in ("0/1 1/1", "0/1 1/1  2/1", "nest", "0/01 1/1 2/1"):
        values = {**dict(space.default().values), "nest": text}
        assert not space.is_legal(space.candidate(values)), text
    rng = random.Random(0)
    assert all(space.is_legal(space.sample(rng)) for _ in range(50))
