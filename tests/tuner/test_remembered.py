"""Which schedule planted records speak for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.records.record import UNTUNED, Record, Stage
from harl_mlir.space.candidate import Candidate
from harl_mlir.tuner.remembered import best_recorded
from tests.small_task import HERE
from tests.tuner.recorded import tile_space

SPACES = (tile_space(count=8),)
Planted = tuple[str, int | None, float | None]
"""Stage, tile (None: untuned), seconds (None: it failed)."""


def tile(number: int) -> Candidate:
    return Candidate("tiled", 1, (("tile", number),))


def best(*planted: Planted | Sequence[Planted]) -> int | None:
    """The tile chosen; what stands in a list was recorded at once."""
    records: list[Record] = []
    for now, group in enumerate(planted):
        for stage, number, seconds in [group] if isinstance(group, tuple) else group:
            measured = failed("crash", "planted") if seconds is None else Measurement(seconds=seconds)
            records.append(_record(stage, UNTUNED if number is None else tile(number), measured, 100.0 + now))
    chosen = best_recorded(records, SPACES)
    return None if chosen is None else chosen.number("tile")


def _record(stage: str, candidate: Candidate, measurement: Measurement, now: float) -> Record:
    word: Stage = "untuned" if stage == "untuned" else "final" if stage == "final" else "trial"
    return Record("t", candidate, HERE, measurement, word, now, "random", 0)


@pytest.mark.parametrize(
    ("expected", "planted"),
    [
        (None, []),
        (None, [("trial", 1, None)]),
        (2, [("trial", 1, 3.0), ("trial", 2, 2.0), ("trial", 3, None)]),
        # The newest trial of a candidate counts, and only if it is in the space.
        (1, [("trial", 1, 3.0), ("trial", 2, 2.0), ("trial", 2, 4.0)]),
        (1, [("trial", 1, 3.0), ("trial", 9, 1.0)]),
        (1, [("trial", 1, 3.0), ("trial", 2, 2.0), ("trial", 2, None)]),
        # The untuned kernel may be the fastest.
        (None, [("untuned", None, 1.0), ("trial", 1, 3.0)]),
        (1, [("untuned", None, 1.0), ("untuned", None, 5.0), ("trial", 1, 3.0)]),
        # Finalists decide, the last ones, whatever the trials said.
        (1, [("trial", 1, 3.0), ("trial", 2, 2.0), [("final", 1, 2.4), ("final", 2, 2.5)]]),
        (
            2,
            [
                ("trial", 1, 3.0),
                ("trial", 2, 2.0),
                [("final", 1, 2.4), ("final", 2, 2.5)],
                [("final", 1, 2.6), ("final", 2, 2.5)],
            ],
        ),
        (None, [("untuned", None, 9.0), ("trial", 1, 3.0), [("final", None, 2.4), ("final", 1, 2.5)]]),
        # A later trial beats the winner only if it is faster than the winner's own trial.
        (
            3,
            [("trial", 1, 3.0), ("trial", 2, 2.0), [("final", 1, 1.0), ("final", 2, 2.5)], ("trial", 3, 2.9)],
        ),
        (
            1,
            [("trial", 1, 3.0), ("trial", 2, 2.0), [("final", 1, 1.0), ("final", 2, 2.5)], ("trial", 3, 3.1)],
        ),
        # Finalists that no longer are in the space decide nothing.
        (1, [("trial", 1, 3.0), ("trial", 9, 2.0), [("final", 9, 1.0)]]),
    ],
)
def test_the_best_of_planted_records(
    expected: int | None, planted: list[Planted | Sequence[Planted]]
) -> None:
    assert best(*planted) == expected
