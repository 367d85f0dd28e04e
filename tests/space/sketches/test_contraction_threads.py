from __future__ import annotations

import random

import pytest

from harl_mlir.space.sketches import contraction
from harl_mlir.space.sketches.contraction_threads import part_of, shared_loop
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR, combine, row, task_of

_MULTIPLY_ADD = [combine("arith.mulf", 0, 1), combine("arith.addf", 2, 3)]


def _matmul(m: int, n: int, k: int) -> Task:
    maps = [[row(3, d0=1), row(3, d2=1)], [row(3, d2=1), row(3, d1=1)]]
    return task_of((m, n, k), "ppr", maps, (0, 1), _MULTIPLY_ADD)


def _conv() -> Task:
    # n, y, x, f; ky, kx, c
    image = [row(7, d0=1), row(7, d1=2, d4=1), row(7, d2=2, d5=1), row(7, d6=1)]
    filters = [row(7, d4=1), row(7, d5=1), row(7, d6=1), row(7, d3=1)]
    return task_of((1, 14, 14, 64, 3, 3, 32), "pppprrr", [image, filters], (0, 1, 2, 3), _MULTIPLY_ADD)


def _words(task: Task, threads: int) -> tuple[object, ...]:
    space = contraction.spaces(task, PROCESSOR, threads=threads)[0]
    return next((d.values for d in space.decisions if d.name == "shared"), ())


def test_one_thread_shares_nothing() -> None:
    task = _matmul(512, 512, 512)
    alone = contraction.spaces(task, PROCESSOR)
    assert alone == contraction.spaces(task, PROCESSOR, threads=1)
    for space in alone:
        assert "shared" not in {decision.name for decision in space.decisions}
        assert shared_loop(space.default()) is None


def test_loops_are_cut_into_equal_parts_of_whole_registers_that_keep_threads_busy() -> None:
    assert _words(_matmul(24, 64, 512), 2) == (
        "no", "d0/2", "d0/4", "d0/6", "d0/8", "d0/12", "d1/2", "d1/4",
    )  # fmt: skip
    # Six threads are busy two thirds of the time with 8 parts, and always with 12.
    assert "d0/8" not in _words(_matmul(24, 64, 512), 6)
    assert _words(_matmul(7, 33, 512), 2) == ()


def test_small_work_is_done_by_one_thread_at_first() -> None:
    small, large = (
        contraction.spaces(task, PROCESSOR, threads=2)[0].default()
        for task in (_matmul(32, 32, 32), _matmul(512, 512, 512))
    )
    assert shared_loop(small) is None
    assert shared_loop(large) == (0, 2)


@pytest.mark.parametrize("task", [_matmul(96, 160, 64), _matmul(90, 130, 77), _conv()])
def test_defaults_and_samples_are_legal_for_the_part(task: Task) -> None:
    rng = random.Random(1)
    for space in contraction.spaces(task, PROCESSOR, threads=2):
        assert space.is_legal(space.default())
        for _ in range(40):
            candidate = space.sample(rng)
            shared = shared_loop(candidate)
            dims = task.anchor_op.dims if shared is None else part_of(task.anchor_op, *shared).dims
            block = candidate.number("block")
            assert not block or any(extent % block == 0 and block < extent for extent in dims)
            assert candidate.number("rows") <= max(dims)


def test_a_part_of_a_convolution_reads_the_rows_it_needs() -> None:
    part = part_of(_conv().anchor_op, 1, 7)
    assert part.dims == (1, 2, 14, 64, 3, 3, 32)
    image, filters, result = (operand.shape for operand in part.operands)
    assert image == (1, 5, 29, 32)
    assert filters == (3, 3, 32, 64)
    assert result == (1, 2, 14, 64)
