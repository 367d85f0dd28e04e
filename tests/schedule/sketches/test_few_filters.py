"""Convolutions with few filters, channels last: lanes may lie along the window, the image being copied."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from tests.schedule.sketches.legality import assert_legal
from tests.schedule.sketches.loop_nests import LoopNest

_BODY = "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %t, %out : f32"


@st.composite
def plain(draw: st.DrawFn) -> LoopNest:
    """`y[n, h, w, f] = sum x[n, h + i, w + j, c] * k[i, j, c, f]`"""
    n, h, w, f = draw(st.integers(1, 2)), draw(st.integers(9, 12)), draw(st.integers(20, 40)), 4
    c, k = draw(st.integers(2, 5)), 5
    return LoopNest(
        (n, h, w, f, k, k, c),
        "pppprrr",
        (
            ("f32", (((0, 1),), ((1, 1), (4, 1)), ((2, 1), (5, 1)), ((6, 1),))),
            ("f32", (((4, 1),), ((5, 1),), ((6, 1),), ((3, 1),))),
        ),
        (0, 1, 2, 3),
        "f32",
        _BODY,
        init=draw(st.sampled_from((None, "0.0"))),
        epilogue=None,
    )


@st.composite
def subpixel(draw: st.DrawFn) -> LoopNest:
    """`y[n, a, p, b, r, f] = sum x[n, a + p + u, b + r + v, c] * k[u, p, v, r, c, f]`"""
    n, a, b, f = (
        draw(st.integers(1, 2)),
        draw(st.integers(6, 8)),
        draw(st.integers(20, 40)),
        draw(st.integers(3, 4)),
    )
    c = draw(st.integers(2, 9))
    return LoopNest(
        (n, a, 2, b, 2, f, 2, 2, c),
        "pppppprrr",
        (
            ("f32", (((0, 1),), ((1, 1), (2, 1), (6, 1)), ((3, 1), (4, 1), (7, 1)), ((8, 1),))),
            ("f32", (((6, 1),), ((2, 1),), ((7, 1),), ((4, 1),), ((8, 1),), ((5, 1),))),
        ),
        (0, 1, 2, 3, 4, 5),
        "f32",
        _BODY,
        init=draw(st.sampled_from((None, "0.0"))),
        epilogue=None,
    )


@settings(
    max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(st.one_of(plain(), subpixel()), st.sampled_from((16, 32, 64)), st.integers(0, 1000))
def test_across(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    assert assert_legal(pool, nest.text, "contraction_across", 1, seed, vector_bytes)
