"""What the contraction sketch offers."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from harl_mlir.processor import Processor
from harl_mlir.space.sketches import contraction
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR, combine, row, task_of

_BODY = [combine("arith.mulf", 0, 1), combine("arith.addf", 2, 3)]
_extents = st.integers(2, 1100)


def matmul(m: int, n: int, k: int, transposed: bool = False, element: str = "f32") -> Task:
    a, b = [row(3, d0=1), row(3, d2=1)], [row(3, d2=1), row(3, d1=1)]
    return task_of((m, n, k), "ppr", [a, b[::-1] if transposed else b], [0, 1], _BODY, element)


def conv(channels: int, filters: int, size: int, stride: int, first: bool) -> Task:
    image = [row(4, d1=1, **{"d3": 1}) if stride == 1 else row(4, d1=stride, d3=1), row(4, d2=1)]
    taps = [row(4, d3=1), row(4, d2=1), row(4, d0=1)]
    if first:
        image, taps = image[::-1], [taps[2], taps[1], taps[0]]
    return task_of((filters, size, channels, 3), "pprr", [image, taps], [0, 1] if first else [1, 0], _BODY)


def _space(task: Task, processor: Processor = PROCESSOR) -> Space:
    return contraction.spaces(task, processor)[0]


def _named(task: Task, sketch: str) -> Space:
    (space,) = (space for space in contraction.spaces(task, PROCESSOR) if space.sketch == sketch)
    return space


def _fits(values: dict[str, int | str], processor: Processor) -> bool:
    rows, registers = int(values["rows"]), -(-int(values["vector"]) // int(values["lanes"]))
    return rows == 1 or rows * registers < processor.vector_registers


@given(_extents, _extents, _extents, st.booleans(), st.sampled_from((16, 32, 64)), st.integers(0, 99))
def test_matmuls(m: int, n: int, k: int, transposed: bool, vector_bytes: int, seed: int) -> None:
    processor = replace(
        PROCESSOR, vector_bytes=vector_bytes, vector_registers=16 if vector_bytes < 64 else 32
    )
    for space in contraction.spaces(matmul(m, n, k, transposed), processor):
        for candidate in (space.default(), space.sample(Random(seed)), *space.moves(space.default())):
            assert space.is_legal(candidate)
            assert _fits(dict(candidate.values), processor)


@given(
    st.integers(1, 64),
    st.integers(2, 70),
    st.integers(2, 60),
    st.integers(1, 3),
    st.booleans(),
    st.integers(0, 99),
)
def test_convolutions(channels: int, filters: int, size: int, stride: int, first: bool, seed: int) -> None:
    for space in contraction.spaces(conv(channels, filters, size, stride, first), PROCESSOR):
        for candidate in (space.default(), space.sample(Random(seed))):
            assert space.is_legal(candidate)
            assert _fits(dict(candidate.values), PROCESSOR)


def test_vectors_lie_across_where_they_are_fuller() -> None:
    def along(filters: int, size: int) -> object:
        return _space(conv(16, filters, size, 1, first=True)).default()["along"]

    assert along(filters=64, size=56) == "across"
    assert along(filters=64, size=64) == "result"
    assert along(filters=33, size=56) == "result"
    assert along(filters=4, size=28) == "result"


def test_sketches_differ_in_where_vectors_lie_and_operands_are_read() -> None:
    spaces = contraction.spaces(conv(16, 64, 8, 1, first=True), PROCESSOR)
    assert [(space.sketch, space.default()["along"]) for space in spaces] == [
        ("contraction_across", "across"),
        ("contraction_across_blocks", "across"),
        ("contraction", "result"),
        ("contraction_panels", "result"),
        ("contraction_blocks", "result"),
    ]


def test_copied_blocks_fill_half_the_l2_cache() -> None:
    space = _named(matmul(1024, 1024, 1024), "contraction_blocks")
    values = space.default().assignment
    assert values["pack"] == "block"
    assert (values["width"], values["depth"]) == (0, 128)  # 128 x 1024 elements of 4 bytes
    assert not space.is_legal(space.candidate({**values, "pack": "none", "copy": "none"}))


def test_too_many_accumulators_are_illegal() -> None:
    space = _space(matmul(512, 512, 512))
    values = {**space.default().assignment, "rows": 14, "vector": 64}
    assert not space.is_legal(space.candidate(values))


def test_nothing_is_packed_that_one_row_reads() -> None:
    sketches = [space.sketch for space in contraction.spaces(matmul(12, 512, 512), PROCESSOR)]
    assert sketches == ["contraction", "contraction_blocks"]
    space = _named(matmul(14, 512, 512), "contraction_panels")
    assert not space.is_legal(space.candidate({**space.default().assignment, "rows": 14, "vector": 16}))


def test_defaults_follow_the_processor() -> None:
    task = matmul(512, 512, 512)
    wide, narrow = _space(task), _space(task, replace(PROCESSOR, vector_bytes=32, vector_registers=16))
    assert (wide.default()["rows"], wide.default()["vector"]) == (8, 32)
    assert (narrow.default()["rows"], narrow.default()["vector"]) == (4, 16)


def test_large_operands_are_packed() -> None:
    small, large = _space(matmul(128, 128, 128)), _space(matmul(1024, 1024, 1024))
    assert (small.default()["pack"], large.default()["pack"]) == ("none", "panels")


def test_what_is_widened_is_packed_and_broadcast_seldom() -> None:
    task = matmul(128, 128, 128)
    op = task.anchor_op
    narrow = replace(op, operands=(*(replace(operand, element="f16") for operand in op.inputs), op.init))
    values = _space(replace(task, members=(replace(task.members[0], op=narrow),))).default()
    assert (values["vector"], values["pack"]) == (64, "panels")


def test_sums_in_half_precision_are_left_alone() -> None:
    assert contraction.spaces(matmul(64, 64, 64, element="f16"), PROCESSOR) == ()


def test_a_single_row_is_computed_in_streams() -> None:
    task = task_of((1024, 4096), "rp", [[row(2, d0=1)], [row(2, d0=1), row(2, d1=1)]], [1], _BODY)
    values = _space(task).default().assignment
    assert (values["depth"], values["unroll"], values["vector"]) == (8, 8, 64)


def test_rows_a_page_apart_are_few() -> None:
    apart, close = _space(matmul(1024, 256, 1024)), _space(matmul(1024, 256, 1000))
    assert (apart.default()["rows"], apart.default()["vector"]) == (4, 64)
    assert (close.default()["rows"], close.default()["vector"]) == (8, 32)


def test_blocks_hold_whole_tiles() -> None:
    space = _named(matmul(512, 512, 512), "contraction_blocks")
    values = {**space.default().assignment, "width": 128, "depth": 256, "copy": "block"}
    assert space.is_legal(space.candidate(values))
    assert not space.is_legal(space.candidate({**values, "depth": 4, "unroll": 8}))
    uneven = _named(matmul(512, 512, 509), "contraction_blocks")
    assert not uneven.is_legal(uneven.candidate({**values, "depth": 255}))
    panels = _named(matmul(512, 512, 509), "contraction_panels")
    assert panels.is_legal(panels.candidate({**values, "depth": 255, "pack": "panels", "copy": "none"}))


def test_panels_from_beyond_the_caches_are_wide() -> None:
    values = _space(matmul(128, 3072, 768)).default().assignment
    assert (values["rows"], values["vector"], values["pack"]) == (4, 64, "panels")


def test_the_smaller_operand_is_transposed() -> None:
    long, square = (_space(matmul(128, 768, 3072, True)), _space(matmul(512, 512, 512, True)))
    assert (long.default()["along"], square.default()["along"]) == ("across", "result")
