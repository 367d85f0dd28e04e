"""What the elementwise, reduction and window sketches offer, and to which tasks."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harl_mlir.space.sketches import contraction, nest, sketches_for
from harl_mlir.space.sketches.accumulation import roles_of, unrolling
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR, combine, row, task_of

_NEGATE = [combine("arith.negf", 0)]
_SUM = [combine("arith.addf", 0, 1)]
_ROWS = task_of((64, 513), "pr", [[row(2, d0=1), row(2, d1=1)]], [0], _SUM)
_COLUMNS = task_of((64, 513), "rp", [[row(2, d0=1), row(2, d1=1)]], [1], _SUM)
_ALL = task_of((1000,), "r", [[row(1, d0=1)]], [], _SUM)
_NEGATED = task_of((64, 513), "pp", [[row(2, d0=1), row(2, d1=1)]], [0, 1], _NEGATE)
_TRANSPOSED = task_of((64, 513), "pp", [[row(2, d1=1), row(2, d0=1)]], [0, 1], [])
_POOLED = task_of(
    (20, 48, 3),
    "ppr",
    [[row(3, d0=2, d2=1), row(3, d1=1)], [row(3, d2=1)]],
    [0, 1],
    [combine("arith.addf", 0, 2)],
)
_DEPTHWISE = task_of(
    (56, 56, 128, 3, 3),
    "ppprr",
    [
        [row(5, d0=1, d3=1), row(5, d1=1, d4=1), row(5, d2=1)],
        [row(5, d3=1), row(5, d4=1), row(5, d2=1)],
    ],
    [0, 1, 2],
    [combine("arith.mulf", 0, 1), combine("arith.addf", 2, 3)],
)
_STRIDED = task_of(
    (48, 20, 3),
    "ppr",
    [[row(3, d0=1), row(3, d1=2, d2=1)], [row(3, d2=1)]],
    [0, 1],
    [combine("arith.addf", 0, 2)],
)
_MATMUL = task_of(
    (32, 32, 32),
    "ppr",
    [[row(3, d0=1), row(3, d2=1)], [row(3, d2=1), row(3, d1=1)]],
    [0, 1],
    [combine("arith.mulf", 0, 1), combine("arith.addf", 2, 3)],
)
TASKS = {
    "rows": (_ROWS, "reduction"),
    "columns": (_COLUMNS, "reduction"),
    "all": (_ALL, "reduction"),
    "negated": (_NEGATED, "elementwise"),
    "transposed": (_TRANSPOSED, "elementwise"),
    "pooled": (_POOLED, "window"),
    "strided": (_STRIDED, "window"),
    "depthwise": (_DEPTHWISE, "window"),
}


def _space(task: Task) -> Space:
    (space,) = sketches_for(task, PROCESSOR)
    return space


@pytest.mark.parametrize(("task", "sketch"), TASKS.values(), ids=TASKS)
def test_each_task_has_the_sketch_for_it(task: Task, sketch: str) -> None:
    space = _space(task)
    assert space.sketch == sketch
    assert space.is_legal(space.default())
    rng = random.Random(0)
    for _ in range(20):
        candidate = space.sample(rng)
        assert space.is_legal(candidate)
        assert all(space.is_legal(move) for move in space.moves(candidate))


def test_a_matmul_is_left_to_contractions() -> None:
    assert {space.sketch for space in sketches_for(_MATMUL, PROCESSOR)} <= {*contraction.NAMES}


def test_offsets_are_left_alone() -> None:
    offset = task_of((8, 64), "pp", [[(1, 0, 2), row(2, d1=1)]], [0, 1], _NEGATE)
    assert sketches_for(offset, PROCESSOR) == ()


def test_masks_are_left_alone_but_elementwise_ones() -> None:
    bits = task_of(
        (64, 64),
        "pp",
        [[row(2, d0=1), row(2, d1=1)]],
        [0, 1],
        [combine("arith.xori", 0, 0, element="i1")],
        "i1",
    )
    any_of_row = task_of(
        (64, 64),
        "pr",
        [[row(2, d0=1), row(2, d1=1)]],
        [0],
        [combine("arith.ori", 0, 1, element="i1")],
        "i1",
    )
    assert [space.sketch for space in sketches_for(bits, PROCESSOR)] == ["elementwise"]
    assert sketches_for(any_of_row, PROCESSOR) == ()


def test_defaults_fill_registers() -> None:
    assert _space(_NEGATED).default().assignment == {
        "flatten": "yes", "width": 32, "rows": 1, "order": "result", "tail": 16
    }  # fmt: skip
    assert _space(_TRANSPOSED).default().number("rows") == 16
    assert _space(_ROWS).default().assignment == {"width": 64, "rows": 4, "tail": 16}
    assert _space(_COLUMNS).default().number("width") == 128
    pooled = _space(_POOLED).default()
    assert (pooled.number("width"), pooled.number("unroll")) == (32, 3)
    assert _space(_STRIDED).default().number("width") == 1
    depthwise = _space(_DEPTHWISE).default()
    tile = {"width": 32, "rows": 1, "height": 4, "order": "result", "unroll": 9, "tail": 16}
    assert depthwise.assignment == tile


@pytest.mark.parametrize("task", [task for task, _ in TASKS.values()], ids=TASKS)
def test_no_vector_is_longer_than_sixteen_registers(task: Task) -> None:
    space = _space(task)
    rng = random.Random(1)
    for _ in range(100):
        values = space.sample(rng).assignment
        size = int(values["width"]) * int(values.get("rows", 1)) * int(values.get("height", 1))
        assert size <= 16 * 16


@given(st.integers(1, 5000), st.sampled_from((1, 4, 16, 64, 256)), st.sampled_from((4, 8, 16)))
def test_pieces_cover_the_loop(extent: int, width: int, tail: int) -> None:
    width = min(width, extent)
    cut = nest.pieces(extent, width, tail)
    assert sum(length for length, _ in cut) == extent
    assert all(length % step == 0 for length, step in cut)
    assert len(cut) <= 3


@given(st.integers(1, 5000), st.sampled_from((2, 4, 8, 16, 32)))
def test_widths_are_whole_registers_or_the_whole_extent(extent: int, lanes: int) -> None:
    found = nest.widths(extent, lanes)
    assert found
    assert all(width <= extent for width in found)
    assert found == (extent,) or all(width % lanes == 0 for width in found)


@pytest.mark.parametrize(("steps", "factors"), [(1, (1,)), (3, (3,))])
def test_unrolling_splits_steps_over_loops(steps: int, factors: tuple[int, ...]) -> None:
    roles = roles_of(_POOLED)
    assert roles is not None
    assert unrolling(_POOLED, roles, steps) == factors


@pytest.mark.parametrize(
    ("extent", "width", "tail", "cut"),
    [
        (1000, 256, 16, ((768, 256), (224, 16), (8, 8))),
        (64, 16, 16, ((64, 16),)),
        (8, 16, 16, ((8, 8),)),
        (777, 1, 1, ((777, 1),)),
    ],
)
def test_a_loop_is_cut_into_whole_steps_and_what_is_left(
    extent: int, width: int, tail: int, cut: tuple[tuple[int, int], ...]
) -> None:
    assert nest.pieces(extent, width, tail) == cut
