"""Greatest elements and sums of exponentials in one go: right for infinities, NaNs and rows far from zero."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from harl_mlir.accuracy import Accuracy
from harl_mlir.codegen.in_place import compute_in_place
from harl_mlir.codegen.online_sums import online_sums
from harl_mlir.export.loaded import load
from harl_mlir.frontend.prepare import prepare
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.schedule.apply import apply_library
from harl_mlir.space.sketches import sketches_for
from tests.schedule.sketches import row_kernels as k
from tests.schedule.sketches.legality import processor_with

_INF, _NAN = float("inf"), float("nan")
_ACCURACIES: tuple[Accuracy, ...] = ("reassociate", "approximate")


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[Accuracy, Pool]]:
    with ExitStack() as stack:
        yield {accuracy: stack.enter_context(Pool(accuracy=accuracy)) for accuracy in _ACCURACIES}


def _library(pool: Pool, text: str, **decisions: int) -> str:
    (task,) = pool.analyse(text, "k.mlir").tasks
    (space,) = sketches_for(task, processor_with(64, l1_bytes=256), pool.accuracy)
    return pool.library([(task, space.candidate({**space.default().assignment, **decisions}))])


def _rows(count: int, length: int, element: str, seed: int) -> np.ndarray:
    """Rows with infinities and NaNs here and there, or of them alone; of which parts are far from others."""
    rng = np.random.default_rng(seed)
    x = rng.normal(scale=rng.choice((0.1, 3, 60), (count, 1)), size=(count, length))
    x += rng.choice((-300, 0, 300, 80000), (count, 1))
    for number, row in enumerate(x):
        for value in ([], [-_INF], [_INF], [_NAN], [_NAN, _INF, -_INF])[number % 5]:
            row[rng.integers(0, length, 3)] = value
        if number % 3 == 1:
            row[: rng.integers(0, length)] = -_INF
    x[-1] = -_INF
    x[-2] = np.linspace(-1000, 1000, length)
    x[-3] = np.linspace(1000, -1000, length)
    x[-4, :-1] = -_INF
    x[-4, -1] = -200
    return x.astype({"f32": np.float32, "f64": np.float64}[element])


def _is_close(found: np.ndarray, wanted: np.ndarray, element: str) -> None:
    # The plain form has what is subnormal as any other order of the same operations would have it.
    small, relative = {"f32": (1e-37, 3e-5), "f64": (1e-300, 1e-12)}[element]
    np.testing.assert_allclose(found, wanted, rtol=relative, atol=small)


@pytest.mark.parametrize("accuracy", _ACCURACIES)
@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize(
    ("rows", "length", "chunk"),
    [(1, 1536, 1024), (2, 4224, 1024), (2, 4096, 2048), (1, 1031, 1024), (1, 4147, 1024), (2, 4112, 2048)],
)
def test_softmax(
    pools: dict[Accuracy, Pool], accuracy: Accuracy, element: str, rows: int, length: int, chunk: int
) -> None:
    pool, text = pools[accuracy], k.softmax((12,), length, element)
    plain, online = (
        load(made.object, made.functions)["f"]
        for made in (
            pool.compile(text, "k.mlir", _library(pool, text, rows=rows, chunk=size)) for size in (0, chunk)
        )
    )
    unused = np.zeros(length, {"f32": np.float32, "f64": np.float64}[element])
    for seed in range(4):
        x = _rows(12, length, element, seed)
        _is_close(online(x, unused), plain(x, unused), element)


@pytest.mark.parametrize("accuracy", _ACCURACIES)
@pytest.mark.parametrize(("rows", "length", "chunk"), [(1, 1536, 1024), (2, 4100, 1024), (1, 4147, 1024)])
def test_log_sum_exp(
    pools: dict[Accuracy, Pool], accuracy: Accuracy, rows: int, length: int, chunk: int
) -> None:
    pool, text = pools[accuracy], k.log_sum_exp((12,), length)
    plain, online = (
        load(made.object, made.functions)["f"]
        for made in (
            pool.compile(text, "k.mlir", _library(pool, text, rows=rows, chunk=size)) for size in (0, chunk)
        )
    )
    unused = np.zeros(length, np.float32)
    for seed in range(4):
        x = _rows(12, length, "f32", seed)
        _is_close(online(x, unused), plain(x, unused), "f32")


def _scheduled(pool: Pool, text: str, rows: int = 2, **decisions: int) -> ir.Module:
    program = prepare(text, "k.mlir", accuracy="reassociate").module
    apply_library(program, _library(pool, text, rows=rows, **decisions), "library", strict=True)
    compute_in_place(program)
    return program


def test_the_row_is_read_once(pools: dict[Accuracy, Pool]) -> None:
    pool = pools["reassociate"]
    with ir.Context(), ir.Location.unknown():
        program = _scheduled(pool, k.softmax((12,), 4096))
        assert "harl.online = 1024" in str(program)
        online_sums(program)
        program.operation.verify()
    text = str(program)
    assert "harl.online" not in text
    # Of chunks and, in these, of vectors: the greatest and the sums; the quotients.
    assert text.count("scf.for ") == 5
    # The powers of a chunk's greatest elements by those of the row are divided, not what is kept.
    assert "arith.divf" not in text.split("scf.for ")[-1]


@pytest.mark.parametrize(
    ("length", "width", "loops"),
    [
        (4097, 32, 5),  # The last number goes alone,
        (4112, 32, 5),  # one narrower vector,
        (4125, 32, 5),  # a vector and some numbers,
        (4147, 64, 9),  # or all four ops do the rest by a loop.
    ],
)
def test_what_is_left_over_is_done_after(
    pools: dict[Accuracy, Pool], length: int, width: int, loops: int
) -> None:
    with ir.Context(), ir.Location.unknown():
        program = _scheduled(pools["reassociate"], k.softmax((12,), length), width=width)
        assert str(program).count("scf.for ") == loops - 1
        online_sums(program)
        program.operation.verify()
    text = str(program)
    assert text.count("scf.for ") == loops
    # Loops carry the row, no piece of it: whatever is done to the rest, nothing is copied.
    assert "tensor<2x4096xf32>" not in text


@pytest.mark.parametrize("taken", ["[0, 4095] [2, 29]", "[0, 4064] [2, 29]"])
def test_what_is_written_twice_stays(pools: dict[Accuracy, Pool], taken: str) -> None:
    """Where the rest begins in what the loop writes, that is not all that is read."""
    with ir.Context(), ir.Location.unknown():
        text = str(_scheduled(pools["reassociate"], k.softmax((12,), 4125)))
        assert text.count("[0, 4096] [2, 29]") == 4
        program = ir.Module.parse(text.replace("[0, 4096] [2, 29]", taken))
        online_sums(program)
        program.operation.verify()
    assert str(program).count("scf.for ") == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("arith.maximumf", "arith.minimumf"),
        ("vector.multi_reduction <maximumf>", "vector.multi_reduction <minimumf>"),
        ("math.exp ", "math.exp2 "),
        ("arith.divf", "arith.addf"),
        ("dense<0.000000e+00> : vector<2x32xf32>", "dense<1.000000e+00> : vector<2x32xf32>"),
    ],
)
def test_other_loops_stay(pools: dict[Accuracy, Pool], old: str, new: str) -> None:
    """Of other combiners, functions or starts, and where what is kept is not divided by the sum."""
    with ir.Context(), ir.Location.unknown():
        text = str(_scheduled(pools["reassociate"], k.softmax((12,), 4096)))
        assert old in text
        program = ir.Module.parse(text.replace(old, new))
        online_sums(program)
        program.operation.verify()
        unmarked = str(ir.Module.parse(text.replace(old, new).replace(", harl.online = 1024 : i64", "")))
        assert str(program) == unmarked


def test_strict_has_no_chunks() -> None:
    with Pool(accuracy="strict") as pool:
        (task,) = pool.analyse(k.softmax((12,), 4096), "k.mlir").tasks
    for accuracy, wanted in (("strict", False), ("reassociate", True)):
        (space,) = sketches_for(task, processor_with(64, l1_bytes=256), accuracy)
        assert ("chunk" in space.default().assignment) == wanted
