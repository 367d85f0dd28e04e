"""What other choices cost, from planted records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harl_mlir.explain.costs import neighbours, newest_trials
from harl_mlir.explain.explanation import explain
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.records.record import UNTUNED, Record
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.space import candidate_of, nest_space, rules_for
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from tests.small_task import HERE
from tests.space.sketches.single_op_tasks import PROCESSOR
from tests.space.sketches.test_contraction_space import matmul

TASK = matmul(96, 80, 64)
SPACE = sketches_for(TASK, PROCESSOR)[0]
AVX512 = replace(HERE, features=("avx512f",))


def chosen(space: Space = SPACE, **values: int | str) -> Candidate:
    return space.candidate({**space.default().assignment, **values})


def record(candidate: Candidate, seconds: float | None, number: int) -> Record:
    measured = Measurement(seconds, seconds, 5) if seconds else failed("lower", "it does not")
    return Record("key", candidate, AVX512, measured, "trial", float(number), "harl", 0, number)


BASE = chosen(rows=6, vector=32)


def test_only_what_differs_in_exactly_one_choice_counts() -> None:
    records = [
        record(BASE, 2.0, 1),
        record(chosen(rows=8, vector=32), 1.5, 2),
        record(chosen(rows=3, vector=32), 3.0, 3),
        record(chosen(rows=4, vector=32), None, 4),
        record(chosen(rows=8, vector=16), 1.0, 5),
        record(replace(chosen(rows=5, vector=32), version=-1), 1.0, 6),
        record(replace(chosen(rows=5, vector=32), sketch="other"), 1.0, 7),
        record(UNTUNED, 9.0, 8),
        replace(record(chosen(rows=12, vector=32), 1.0, 9), stage="final"),
    ]
    decisions = {decision.name: decision for decision in SPACE.decisions}
    trials = newest_trials(records)
    found = neighbours(BASE, "rows", decisions["rows"], trials)
    assert [(one.value, one.change, one.failure, one.record) for one in found] == [
        (3, pytest.approx(0.5), None, 3),
        (4, None, "lower", 4),
        (8, pytest.approx(-0.25), None, 2),
    ]
    assert neighbours(BASE, "vector", decisions["vector"], trials) == ()
    (one,) = neighbours(chosen(rows=8, vector=16), "vector", decisions["vector"], trials)
    assert (one.value, one.change) == (32, pytest.approx(0.5))


def test_the_newest_trial_counts() -> None:
    records = [record(BASE, 9.0, 1), record(chosen(rows=8, vector=32), 1.0, 2), record(BASE, 2.0, 3)]
    (one,) = neighbours(BASE, "rows", None, newest_trials(records))
    assert one.change == pytest.approx(-0.5)


def test_nests_count_if_they_are_one_move_away() -> None:
    rules, space = rules_for(TASK, PROCESSOR), nest_space(TASK, PROCESSOR)
    assert rules is not None
    assert space is not None
    base, near, far = (
        candidate_of(parse((96, 80, 64), text), rules)
        for text in ("0/1 1/1 2/1", "0/1 2/1 1/1", "0/8 1/16 2/1 0/1u 1/1v")
    )
    trials = newest_trials([record(base, 2.0, 1), record(near, 1.0, 2), record(far, 0.1, 3)])
    found = neighbours(base, "nest", space.decisions[0], trials)
    assert [one.record for one in found] == [2]


def test_an_explanation_has_loops_meanings_and_legal_values() -> None:
    final = replace(record(BASE, 1.75, 3), stage="final")
    untuned = replace(record(UNTUNED, 8.0, 4), stage="untuned")
    given = [record(BASE, 2.0, 1), final, untuned]
    found = explain("key", "?", BASE, TASK, AVX512, given)
    assert (found.record, found.seconds, found.untuned_seconds) == (final, 1.75, 8.0)
    assert found.label == TASK.label()
    assert found.nest
    assert found.missing == ""
    choices = {choice.name: choice for choice in found.choices}
    assert list(choices) == [name for name, _ in BASE.values]
    assert all(choice.meaning for choice in found.choices)
    legal = choices["rows"].legal
    assert legal is not None
    assert {6, 8} <= set(legal)
    # A tile of so many rows of so wide vectors does not fit the registers.
    assert max(value for value in legal if isinstance(value, int)) < 16
    assert choices["along"].legal == ("result",)


def test_choices_of_a_library_come_in_no_order() -> None:
    shuffled = replace(BASE, values=tuple(sorted(BASE.values)))
    assert explain("key", "?", shuffled, TASK, AVX512, []).candidate == BASE
    without_facts = explain("key", "?", shuffled, None, AVX512, [record(BASE, 2.0, 1)])
    assert without_facts.candidate == BASE
    assert without_facts.seconds == 2.0


@pytest.mark.parametrize(
    ("candidate", "known", "said"),
    [
        (BASE, False, "the database has no facts"),
        (replace(BASE, version=1), True, "has no sketch contraction 1"),
        (replace(BASE, values=()), True, "did not keep them"),
        (chosen(rows=13, vector=64), True, "does not offer these choices"),
        (UNTUNED, True, "without a schedule"),
        (Candidate("script-0", 1, (("tile", 8),)), True, "a script of the user's own"),
    ],
)
def test_what_is_not_known_is_said(candidate: Candidate, known: bool, said: str) -> None:
    found = explain("key", "label", candidate, TASK if known else None, AVX512, [])
    assert said in found.missing
    assert found.nest == ()
    assert all(choice.legal is None for choice in found.choices)
    assert found.label == (TASK.label() if known else "label")
