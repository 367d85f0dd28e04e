"""Reductions whose loops are outside: every such candidate is right, and offered where rows are long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.sketches.outer_steps import AHEAD, ORDERS, STEPS
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from tests.schedule.sketches.legality import drawn, processor_with
from tests.schedule.sketches.loop_nests import LoopNest, plain

_KINDS = ("rp", "rrp", "rpp", "prp", "prrp", "rrrp", "prpp")
_BODIES = {
    "f32": (
        "%y = arith.addf %x0, %out : f32",
        "%t = arith.mulf %x0, %x0 : f32\n %y = arith.addf %t, %out : f32",
    ),
    "f64": ("%y = arith.addf %x0, %out : f64",),
    "f16": ("%y = arith.maximumf %x0, %out : f16",),
    "i32": ("%y = arith.addi %x0, %out : i32", "%y = arith.minsi %x0, %out : i32"),
    "i8": ("%y = arith.xori %x0, %out : i8",),
}
_LESS = "%d = arith.subf %x0, %x1 : f32\n %t = arith.mulf %d, %d : f32\n %y = arith.addf %t, %out : f32"
_SUM = "%y = arith.addf %x0, %out : f32"
_SCALE = "%y = arith.mulf %p, %q : f32"


@st.composite
def nests(draw: st.DrawFn) -> LoopNest:
    """Sums over loops around the one along vectors, sometimes of distances from a row or a column."""
    kinds = draw(st.sampled_from(_KINDS))
    small = st.sampled_from((1, 2, 3, 5, 6, 8, 14, 16))
    dims = tuple(
        draw(small) if d < len(kinds) - 1 else draw(st.sampled_from((67, 80, 131, 260, 272, 600)))
        for d in range(len(kinds))
    )
    assume(math.prod(dims) <= 60000)
    element = draw(st.sampled_from(sorted(_BODIES)))
    inputs, body = [(element, plain(*range(len(kinds))))], draw(st.sampled_from(_BODIES[element]))
    if element == "f32" and draw(st.booleans()):
        second = draw(st.sampled_from([(d,) for d in range(len(kinds))]))
        inputs, body = [*inputs, (element, plain(*second))], _LESS
    number = "0.25" if element.startswith("f") else "3"
    output = tuple(d for d, kind in enumerate(kinds) if kind == "p")
    epilogue = draw(st.sampled_from((None, _SCALE))) if element == "f32" else None
    return LoopNest(
        dims, kinds, tuple(inputs), output, element, body, draw(st.sampled_from((None, number))), epilogue
    )


def _outside(space: Space, seed: int, count: int) -> list[Candidate]:
    """Some candidates of these orders."""
    return [candidate for candidate in drawn(space, 60, seed) if candidate["order"] in ORDERS][:count]


def _assert_right(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int, count: int) -> int:
    found = 0
    for task in pool.analyse(nest.text, "kernel.mlir").tasks:
        for space in sketches_for(task, processor_with(vector_bytes), pool.accuracy, pool.threads):
            if space.sketch == "reduction":
                for candidate in _outside(space, seed, count):
                    measurement = pool.measure(task, candidate)
                    assert measurement.ok, f"{measurement.failure}\n{candidate.values}\n{nest.text}"
                    found += 1
    return found


_QUICK = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("accuracy", ["reassociate", "strict"])
def test_random_kernels(pool: Pool, strict_pool: Pool, accuracy: str) -> None:
    found = 0

    @_QUICK
    @given(nests(), st.sampled_from((16, 16, 32)), st.integers(0, 1000))
    def every_candidate_is_right(nest: LoopNest, vector_bytes: int, seed: int) -> None:
        nonlocal found
        found += _assert_right(
            pool if accuracy == "reassociate" else strict_pool, nest, vector_bytes, seed, 2
        )

    every_candidate_is_right()
    assert found > 15


@pytest.mark.slow
def test_many_random_kernels(strict_pool: Pool) -> None:
    @settings(_QUICK, max_examples=150, derandomize=False)
    @given(nests(), st.sampled_from((16, 32, 64)), st.integers(0, 1000))
    def every_candidate_is_right(nest: LoopNest, vector_bytes: int, seed: int) -> None:
        _assert_right(strict_pool, nest, vector_bytes, seed, 4)

    every_candidate_is_right()


def _sums(dims: Sequence[int], kinds: str, order: Sequence[int] = (), epilogue: str | None = None) -> str:
    output = tuple(d for d, kind in enumerate(kinds) if kind == "p")
    rows = plain(*(order or range(len(dims))))
    return LoopNest(tuple(dims), kinds, (("f32", rows),), output, "f32", _SUM, "0.0", epilogue).text


def _space(pool: Pool, text: str, threads: int = 1) -> tuple[Task, Space]:
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    processor = replace(this_processor(), vector_bytes=64, l2_bytes=1 << 20, l3_bytes=32 << 20)
    (space,) = [s for s in sketches_for(task, processor, threads=threads) if s.sketch == "reduction"]
    return task, space


@pytest.mark.parametrize(
    ("dims", "kinds", "order", "width", "unroll"),
    [
        ((4096, 4096), "rp", AHEAD, 16, 8),
        ((4096, 1024), "rp", AHEAD, 16, 8),
        ((8192, 512), "rp", STEPS, 64, 1),
        ((65536, 256), "rp", STEPS, 64, 1),
        ((4099, 4096), "rp", STEPS, 64, 1),
        ((32, 56, 56, 512), "rrrp", STEPS, 64, 1),
        ((32, 49, 2048), "prp", AHEAD, 16, 7),
        ((1024, 64, 64), "rpp", AHEAD, 16, 8),
        # Parts of rows of which all stays in registers, little that is read, and sums that stay in no cache.
        ((131072, 128), "rp", "result", 128, 4),
        ((1024, 1024), "rp", "result", 128, 4),
        ((4, 1 << 20), "rp", "result", 128, 4),
    ],
)
def test_long_rows_are_read_from_the_beginning_to_the_end(
    pool: Pool, dims: Sequence[int], kinds: str, order: str, width: int, unroll: int
) -> None:
    _, space = _space(pool, _sums(dims, kinds))
    default = space.default()
    assert (default["order"], default["width"], default["unroll"]) == (order, width, unroll)
    assert space.is_legal(default)


def test_rows_that_do_not_lie_together_are_not_offered(pool: Pool) -> None:
    _, space = _space(pool, _sums((600, 1024), "rp"))
    assert set(ORDERS) <= set(next(d.values for d in space.decisions if d.name == "order"))
    _, turned = _space(pool, _sums((1024, 600), "pr"))
    assert not [d for d in turned.decisions if d.name == "order"]


def test_threads_share_as_few_pieces_of_rows_as_there_are(pool: Pool) -> None:
    _, space = _space(pool, _sums((4096, 4096), "rp"), threads=2)
    assert (space.default()["shared"], space.default()["order"]) == ("d0/2", AHEAD)
    _, around = _space(pool, _sums((64, 256, 1024), "prp"), threads=2)
    assert around.default()["shared"] == "d0/8"


def test_the_reduction_is_outside_in_the_nest(pool: Pool) -> None:
    _, space = _space(pool, _sums((4096, 4096), "rp"))
    assert space.nests is not None
    given = {**space.default().assignment, "unroll": 8, "width": 64}
    candidates = [space.candidate({**given, "order": order}) for order in (STEPS, "result")]
    nest = space.nests({d.name: np.array([c[d.name] for c in candidates]) for d in space.decisions})
    assert nest.loops[:3, 0].tolist() == [0, 1, 0]
    assert nest.trips[:3, 0].tolist() == [512, 64, 8]
    assert nest.loops[:2, 1].tolist() == [1, 0]
    assert nest.trips[:, 1].tolist() == [64, 4096, 1]
    assert nest.executions[-1, 0] == nest.executions[-1, 1] == 4096 * 64
