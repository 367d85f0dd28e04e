"""What candidates are told to cost to compile, and which are refused for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harl_mlir.space.sketches.build_cost import MOST_SECONDS, build_seconds

_sizes = st.integers(1, 28)


@given(_sizes, st.sampled_from([16, 32, 64]), st.sampled_from([1, 2, 4, 8]), st.booleans(), st.booleans())
def test_more_code_takes_longer(rows: int, vector: int, unroll: int, by_rows: bool, across: bool) -> None:
    def seconds(*pieces: tuple[int, int], steps: int = unroll) -> float:
        return build_seconds(pieces, 16, steps, by_rows=by_rows, across=across)

    once = seconds((rows, vector))
    assert once < seconds((rows + 1, vector))
    assert once < seconds((rows, 2 * vector))
    assert once < seconds((rows, vector), (1, 1))
    assert once < seconds((rows, vector), steps=2 * unroll)


def test_usual_tiles_are_cheap_and_four_large_ones_of_single_rows_are_not() -> None:
    assert build_seconds([(8, 32)], 16, 4, by_rows=False, across=False) < 0.2
    four = [(28, 16), (27, 16), (28, 16), (27, 16)]
    assert build_seconds(four, 16, 8, by_rows=True, across=True) > MOST_SECONDS
