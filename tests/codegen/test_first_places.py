"""Elements and their places by one loop: right for ties, infinities, zeros of both signs, NaNs, integers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.codegen.first_places import first_places
from harl_mlir.codegen.lane_extrema import keep_lanes
from harl_mlir.export.loaded import load
from harl_mlir.frontend.prepare import prepare
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.schedule.apply import apply_library
from harl_mlir.space.sketches import sketches_for
from tests.frontend.test_row_forms import arg_max
from tests.schedule.sketches.legality import processor_with

_INF, _NAN = float("inf"), float("nan")
_SHAPES = [(12, 96), (2, 3, 128), (6, 77), (8, 33)]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as made:
        yield made


def _library(pool: Pool, text: str, **decisions: int) -> str:
    (task,) = (task for task in pool.analyse(text, "k.mlir").tasks if len(task.members) > 2)
    (space,) = sketches_for(task, processor_with(64))
    return pool.library([(task, space.candidate({**space.default().assignment, **decisions}))])


def _rows(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Rows with many ties; some with NaNs, some of nothing but an infinity."""
    rng = np.random.default_rng(seed)
    x = rng.choice(np.array([-2, -1, -0.0, 0.0, 1, 2], np.float32), size=shape)
    rows = x.reshape(-1, shape[-1])
    for number, row in enumerate(rows):
        for value in ([], [_INF], [-_INF], [_NAN], [_NAN, _INF], [_NAN, -_INF, _NAN])[number % 6]:
            row[rng.integers(0, len(row), 2)] = value
    rows[-1] = (_INF, -_INF)[seed % 2]
    return x


def _place(row: np.ndarray, least: bool) -> int:
    if not np.isnan(row).any():
        return int(np.argmin(row) if least else np.argmax(row))
    return int(np.flatnonzero(np.isnan(row) | (row == (-_INF if least else _INF)))[0])


@pytest.mark.parametrize("shape", _SHAPES)
@pytest.mark.parametrize("least", [False, True])
@pytest.mark.parametrize("rows", [1, 2])
def test_first_places(pool: Pool, shape: tuple[int, ...], least: bool, rows: int) -> None:
    text = arg_max(shape, least, both=False)
    made = pool.compile(text, "k.mlir", _library(pool, text, rows=rows if shape[-2] % rows == 0 else 1))
    function = load(made.object, made.functions)["f"]
    for seed in range(6):
        x = _rows(shape, seed)
        wanted = [_place(row, least) for row in x.reshape(-1, shape[-1])]
        assert function(x).ravel().tolist() == wanted


_INTEGERS = {
    of: np.dtype(("u" if of[0] == "u" else "") + f"int{of[1:]}")
    for of in ("i8", "i16", "i32", "i64", "u8", "u32")
}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_first_places_of_integers(pool: Pool, data: st.DataObject) -> None:
    """With many ties, and rows that hold, or are nothing but, the least and the greatest number."""
    of = data.draw(st.sampled_from(list(_INTEGERS)))
    least, kind = data.draw(st.booleans()), np.iinfo(_INTEGERS[of])
    shape = (data.draw(st.integers(2, 5)), data.draw(st.integers(20, 200)))
    text = arg_max(shape, least, data.draw(st.sampled_from(("i64", "i32", "i16"))), both=False, of=of)
    made = pool.compile(text, "k.mlir", _library(pool, text))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    numbers = np.array([kind.min, kind.min, kind.min + 1, 3, kind.max - 1, kind.max], _INTEGERS[of])
    for few in (1, 2, 6):
        x = np.array([rng.choice(rng.choice(numbers, few), shape[1]) for _ in range(shape[0])])
        wanted = np.argmin(x, axis=1) if least else np.argmax(x, axis=1)
        given = x.view(f"i{x.itemsize}")
        assert load(made.object, made.functions)["f"](given).tolist() == wanted.tolist()


@pytest.mark.parametrize("of", _INTEGERS)
def test_a_row_of_integers_is_read_once(pool: Pool, of: str) -> None:
    text = arg_max((12, 512), least=False, both=False, of=of)
    library = _library(pool, text)
    with ir.Context(), ir.Location.unknown():
        program = prepare(text, "k.mlir", accuracy="strict").module
        apply_library(program, library, "library", strict=True)
        before = str(program)
        first_places(program)
        program.operation.verify()
    assert before.count("scf.for ") == 2
    assert str(program).count("scf.for ") == 1
    assert "scf.if" not in str(program)


@pytest.mark.parametrize("rows", [1, 2])
def test_the_row_is_read_once(pool: Pool, rows: int) -> None:
    text = arg_max((12, 96), least=False, both=False)
    library = _library(pool, text, rows=rows)
    with ir.Context(), ir.Location.unknown():
        program = prepare(text, "k.mlir", accuracy="reassociate").module
        apply_library(program, library, "library", strict=True)
        before = str(program)
        first_places(program)
        program.operation.verify()
    joined, rest = str(program).split("scf.if")
    assert before.count("scf.for ") == 2
    assert joined.count("scf.for ") == 1
    assert rest.split("else")[0].count("scf.for ") == 1
    assert "arith.maximumf" not in joined


def test_other_loops_stay(pool: Pool) -> None:
    """Of other numbers than places that grow, of other elements, and of another extremum."""
    text = arg_max((12, 96), least=False, both=False)
    library = _library(pool, text, rows=2)
    with ir.Context(), ir.Location.unknown():
        program = prepare(text, "k.mlir", accuracy="reassociate").module
        apply_library(program, library, "library", strict=True)
        keep_lanes(program)
        scheduled = str(program)
        for old, new in (
            ("arith.addi", "arith.subi"),
            ("arith.minsi", "arith.maxsi"),
            ("cmpf ueq", "cmpf oeq"),
            ("cmpf uno", "cmpf une"),
            ("vector.multi_reduction <maximumf>", "vector.multi_reduction <minimumf>"),
            ("arith.maximumf", "arith.minimumf"),
        ):
            assert old in scheduled
            module = ir.Module.parse(scheduled.replace(old, new))
            text = str(module)
            first_places(module)
            assert str(module) == text, new
