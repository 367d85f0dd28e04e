"""Random small spaces for property tests."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.space import Space


@st.composite
def spaces(draw: st.DrawFn, name: str = "sketch", most: int = 4) -> Space:
    """Up to `most` decisions with up to 4 values; about a third of the candidates illegal."""
    decisions: list[Decision] = []
    for number in range(draw(st.integers(0, most))):
        ordered = draw(st.booleans())
        values: tuple[Value, ...] = (1, 2, 4, 8) if ordered else ("a", "b", "c", "d")
        values = values[: draw(st.integers(1, 4))]
        decisions.append(Decision(f"d{number}", values, draw(st.sampled_from(values)), ordered))
    default = {d.name: d.default for d in decisions}
    salt = draw(st.integers(0, 1000))

    def constraint(values: Mapping[str, Value]) -> bool:
        assert list(values) == [d.name for d in decisions]
        places = (d.values.index(values[d.name]) for d in decisions)
        mixed = sum((salt + 7 * i) * (place + 1) for i, place in enumerate(places))
        return values == default or mixed % 3 > 0

    return Space(name, 1, tuple(decisions), constraint)
