from __future__ import annotations

import random

import numpy as np
import pytest

from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.sketches.cuts import SHARED, cuts_of, without_sharing
from harl_mlir.space.space import Space
from harl_mlir.tasks.part import part_of, repeated
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR, combine, row, task_of

_MULTIPLY_ADD = [combine("arith.mulf", 0, 1), combine("arith.addf", 2, 3)]


def _matmul(m: int, n: int, k: int) -> Task:
    maps = [[row(3, d0=1), row(3, d2=1)], [row(3, d2=1), row(3, d1=1)]]
    return task_of((m, n, k), "ppr", maps, (0, 1), _MULTIPLY_ADD)


def _conv(rows: int = 14) -> Task:
    # n, y, x, f; ky, kx, c
    image = [row(7, d0=1), row(7, d1=2, d4=1), row(7, d2=2, d5=1), row(7, d6=1)]
    filters = [row(7, d4=1), row(7, d5=1), row(7, d6=1), row(7, d3=1)]
    return task_of((1, rows, 14, 64, 3, 3, 32), "pppprrr", [image, filters], (0, 1, 2, 3), _MULTIPLY_ADD)


def _add(rows: int, columns: int) -> Task:
    maps = [[row(2, d0=1), row(2, d1=1)]] * 2
    return task_of((rows, columns), "pp", maps, (0, 1), [combine("arith.addf", 0, 1)])


def _spaces(task: Task, threads: int = 2) -> tuple[Space, ...]:
    return sketches_for(task, PROCESSOR, threads=threads)


def _words(task: Task, threads: int) -> tuple[object, ...]:
    return next((d.values for d in _spaces(task, threads)[0].decisions if d.name == SHARED), ())


def test_one_thread_shares_nothing() -> None:
    for space in sketches_for(_matmul(512, 512, 512), PROCESSOR):
        assert SHARED not in {decision.name for decision in space.decisions}
        assert not cuts_of(space.default())


def test_dimensions_are_cut_into_equal_parts_of_whole_lines_that_keep_threads_busy() -> None:
    assert _words(_matmul(24, 64, 512), 2) == (
        "no", "d0/2", "d0/4", "d1/2", "d1/4",
    )  # fmt: skip
    # Six threads are busy two thirds of the time with 8 parts, and always with 12.
    assert "d0/8" not in _words(_matmul(24, 64, 512), 6)


def test_sizes_without_a_small_divisor_are_cut_into_many_parts_or_no_whole_lines() -> None:
    assert _words(_add(197, 768), 2)[:2] == ("no", "d0/197")
    # Rows of a product by themselves fill no register tile.
    assert _words(_matmul(509, 511, 513), 2) == ("no", "d1/7")
    assert _words(_matmul(509, 512, 513), 2)[:2] == ("no", "d1/2")
    assert _words(_matmul(7, 31, 512), 2) == ()


def test_two_dimensions_are_cut_where_neither_has_enough() -> None:
    assert _words(_add(3, 48), 4) == ("no", "d0/3", "d1/3", "d0/3,d1/3")


def test_what_parts_read_twice_is_shared() -> None:
    # Of two rows each reads two more; of the result none is computed twice.
    assert any("d1" in str(word) for word in _words(_conv(), 2))
    part = part_of(_matmul(24, 64, 512), {0: 4})
    assert part is not None
    assert repeated(_matmul(24, 64, 512), part, 4) == 1


def test_small_work_is_done_by_one_thread_at_first() -> None:
    assert not cuts_of(_spaces(_matmul(32, 32, 32))[0].default())
    assert not cuts_of(_spaces(_add(64, 64))[0].default())
    assert cuts_of(_spaces(_matmul(512, 512, 512))[0].default()) == {0: 2}
    assert cuts_of(_spaces(_add(1024, 1024))[0].default())


def test_threads_take_parts_of_one_another_where_a_part_packs_no_panels() -> None:
    assert cuts_of(_spaces(_matmul(1024, 1024, 1024))[0].default()) == {0: 2}
    assert cuts_of(_spaces(_add(1024, 1024))[0].default()) == {0: 8}
    assert cuts_of(_spaces(_add(1024, 1024), 4)[0].default()) == {0: 16}
    # What takes 5 us is worth a part.
    assert cuts_of(_spaces(_add(192, 256))[0].default()) == {0: 4}


def test_the_default_cuts_what_parts_read_less_by() -> None:
    assert cuts_of(_spaces(_matmul(128, 3072, 768))[0].default()) == {1: 2}
    assert cuts_of(_spaces(_matmul(3072, 128, 768))[0].default()) == {0: 2}


@pytest.mark.parametrize(
    "task", [_matmul(96, 160, 64), _matmul(90, 130, 77), _conv(), _add(96, 160), _add(197, 768)]
)
def test_defaults_and_samples_are_legal_for_the_part(task: Task) -> None:
    rng = random.Random(1)
    for space in _spaces(task):
        assert space.is_legal(space.default())
        for _ in range(40):
            candidate = space.sample(rng)
            part = part_of(task, cuts_of(candidate))
            assert part is not None
            of_part = {s.sketch: s for s in sketches_for(part, PROCESSOR)}[space.sketch]
            inside = without_sharing(candidate)
            assert all(d.accepts(inside[d.name]) for d in of_part.decisions)
            assert of_part.constraint(inside.assignment)


def test_a_part_that_is_not_contiguous_is_not_made_one_loop() -> None:
    (space,) = _spaces(_add(64, 256))
    values = {**space.default().assignment, "flatten": "yes"}
    assert space.is_legal(space.candidate({**values, SHARED: "d0/2"}))
    assert not space.is_legal(space.candidate({**values, SHARED: "d1/2"}))


def test_parts_have_the_last_cache_in_common() -> None:
    # More than the cache holds in all, but less in each part.
    rows = 3 * PROCESSOR.l3_bytes // (2 * 4 * 4096)
    (space,) = _spaces(_add(rows, 4096))
    assert space.default()["stores"] == "streamed"
    assert cuts_of(space.default()) == {0: 8}
    for word in ("no", "d0/2", "d0/16"):
        assert space.is_legal(space.candidate({**space.default().assignment, SHARED: word}))


def test_loops_over_parts_are_around_the_nest() -> None:
    space = _spaces(_matmul(512, 512, 512))[0]
    values = [{**space.default().assignment, SHARED: word} for word in ("no", "d0/2", "d1/4")]
    columns = {name: np.array([each[name] for each in values]) for name in values[0]}
    assert space.nests is not None
    nests = space.nests(columns)
    assert nests.loops[:2].tolist() == [[0, 0, 0], [1, 1, 1]]
    assert nests.trips[:2].tolist() == [[1, 2, 1], [1, 1, 4]]
    assert nests.executions[-1].tolist() == pytest.approx([nests.executions[-1][0]] * 3)


def test_a_part_of_a_convolution_reads_the_rows_it_needs() -> None:
    part = part_of(_conv(), {1: 7})
    assert part is not None
    assert part.anchor_op.dims == (1, 2, 14, 64, 3, 3, 32)
    image, filters, result = (operand.shape for operand in part.anchor_op.operands)
    assert image == (1, 5, 29, 32)
    assert filters == (3, 3, 32, 64)
    assert result == (1, 2, 14, 64)
