"""Candidates of the contraction sketch that make blocks for a cache are right."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.legality import of_kind, processor_with
from tests.schedule.sketches.loop_nests import LoopNest, plain

_QUICK = settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
_BODY = "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %out, %t : f32"


@st.composite
def _matmuls(draw: st.DrawFn) -> LoopNest:
    """Matmuls large enough for blocks in every loop, batched or not, either operand transposed."""
    m, n, k = (draw(st.sampled_from((16, 33, 40, 48, 64, 70))) for _ in range(3))
    batch = draw(st.sampled_from((1, 1, 2)))
    if draw(st.integers(0, 5)) == 0:
        m = draw(st.sampled_from((1, 3)))
    a, b = (
        ((0, 1, 3) if draw(st.booleans()) else (0, 3, 1)),
        ((0, 3, 2) if draw(st.booleans()) else (0, 2, 3)),
    )
    return LoopNest(
        (batch, m, n, k),
        "pppr",
        (("f32", plain(*a)), ("f32", plain(*b))),
        (0, 1, 2),
        "f32",
        _BODY,
        init=draw(st.sampled_from((None, "0.0", "0.25"))),
        epilogue="%y = arith.subf %p, %q : f32" if draw(st.booleans()) else None,
    )


def _blocked(space: Space, seed: int) -> Candidate:
    """A random candidate that has as many kinds of blocks as a few draws find."""
    rng = random.Random(seed)

    def blocks(candidate: Candidate) -> int:
        copies = (candidate["pack"] == "block") + (candidate["copy"] == "block")
        return copies + sum(candidate[name] != 0 for name in ("block", "width", "depth"))

    return max((space.sample(rng) for _ in range(rng.choice((2, 5, 20)))), key=blocks)


def _assert_right(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    for task in pool.analyse(nest.text, "kernel.mlir").tasks:
        spaces = of_kind(sketches_for(task, processor_with(vector_bytes)), "contraction")
        for space in spaces and [spaces[seed % len(spaces)]]:
            candidate = _blocked(space, seed)
            measurement = pool.measure(task, candidate)
            assert measurement.ok, f"{measurement.failure}\n{candidate.values}\n{nest.text}"


@_QUICK
@given(_matmuls(), st.sampled_from((16, 32, 64)), st.integers(0, 1000))
def test_blocks_of_matmuls(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    _assert_right(pool, nest, vector_bytes, seed)


@_QUICK
@given(convolutions(), st.sampled_from((16, 64)), st.integers(0, 1000))
def test_blocks_of_convolutions(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    _assert_right(pool, nest, vector_bytes, seed)


@pytest.mark.slow
@settings(_QUICK, max_examples=400, derandomize=False)
@given(
    st.one_of(_matmuls(), contractions(), convolutions()), st.sampled_from((16, 32, 64)), st.integers(0, 1000)
)
def test_blocks_of_many(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    _assert_right(pool, nest, vector_bytes, seed)


@pytest.mark.parametrize("seed", range(12))
def test_a_window_and_a_contracted_loop_of_few_steps(pool: Pool, seed: int) -> None:
    """Blocks of one step leave nothing to tile by one, and blocks of one row nothing to copy by rows."""
    operands = (("f32", plain(1, 2)), ("f32", plain(1, 2, 0)))
    _assert_right(pool, LoopNest((2, 2, 2), "prr", operands, (0,), "f32", _BODY), 16, seed)
