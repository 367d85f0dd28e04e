from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harl_mlir.search.lattice import Lattice, State
from harl_mlir.search.sampling import diverse, fresh_states
from harl_mlir.space.decision import Decision
from harl_mlir.space.space import Space
from tests.search.spaces import spaces


@given(spaces(), st.integers(0, 99), st.integers(1, 50))
def test_finds_every_state_once_and_ends(space: Space, seed: int, count: int) -> None:
    lattice, rng = Lattice(space), np.random.default_rng(seed)
    seen: set[State] = set()
    while fresh := fresh_states(lattice, rng, seen, count):
        assert len(fresh) == len(set(fresh)) <= count
        assert not seen.intersection(fresh)
        seen.update(fresh)
    assert seen == set(lattice.all_legal())


def test_small_spaces_are_drawn_uniformly() -> None:
    lattice = Lattice(Space("s", 1, (Decision("x", (1, 2, 4, 8), 1),)))
    rng = np.random.default_rng(0)
    counts = np.bincount([fresh_states(lattice, rng, {(3,)}, 1)[0][0] for _ in range(900)], minlength=4)
    assert counts[3] == 0
    assert counts[:3].min() > 250


def test_finds_the_few_legal_candidates_of_a_large_space() -> None:
    values = tuple(range(40))
    decisions = tuple(Decision(f"d{i}", values, 0) for i in range(4))
    # Legal: all zero but one decision of at most 5.
    space = Space(
        "s", 1, decisions, lambda at: sum(map(bool, at.values())) <= 1 and sum(map(int, at.values())) < 6
    )
    lattice, rng = Lattice(space), np.random.default_rng(0)
    seen: set[State] = set()
    while fresh := fresh_states(lattice, rng, seen, 3):
        seen.update(fresh)
    assert len(seen) == 1 + 4 * 5


def test_diverse_points_are_far_apart() -> None:
    points = np.array([[0.0], [0.1], [0.9], [0.5], [1.0]], dtype=np.float32)
    assert diverse(points, 0, 3) == [0, 4, 3]
    assert diverse(points, 1, 2) == [4, 3]
    assert sorted(diverse(points, 2, 9)) == [2, 3, 4]
    assert diverse(points, 0, 1) == [0]
