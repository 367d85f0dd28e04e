"""Random programs of elementwise ops and functions have the right numbers under every accuracy."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from tests.schedule.sketches.elementwise_programs import Program, programs
from tests.schedule.sketches.legality import assert_legal

_QUICK = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
_POOLS = ("pool", "approximate_pool", "strict_pool")
_WIDTHS = st.sampled_from((16, 32, 64, 64))
_CACHES = st.sampled_from((None, 512))
"""Larger results are streamed."""


@pytest.mark.parametrize("name", _POOLS)
def test_random_programs(request: pytest.FixtureRequest, name: str) -> None:
    chosen: Pool = request.getfixturevalue(name)
    sketches = []

    @_QUICK
    @given(programs(), _WIDTHS, _CACHES, st.integers(0, 1000))
    def every_candidate_is_right(program: Program, vector_bytes: int, cache: int | None, seed: int) -> None:
        sketches.append(
            assert_legal(chosen, program.text, "elementwise", 1, seed, vector_bytes, cache_bytes=cache)
        )

    every_candidate_is_right()
    assert len([count for count in sketches if count]) >= len(sketches) // 2


@pytest.mark.slow
@pytest.mark.parametrize("name", _POOLS)
def test_many_random_programs(request: pytest.FixtureRequest, name: str) -> None:
    chosen: Pool = request.getfixturevalue(name)

    @settings(_QUICK, max_examples=300, derandomize=False)
    @given(programs(), _WIDTHS, _CACHES, st.integers(0, 1000))
    def every_candidate_is_right(program: Program, vector_bytes: int, cache: int | None, seed: int) -> None:
        assert_legal(chosen, program.text, "elementwise", 2, seed, vector_bytes, cache_bytes=cache)

    every_candidate_is_right()
