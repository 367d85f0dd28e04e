from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.space import Space
from tests.search.landscapes import matmul_task
from tests.search.spaces import spaces


@given(spaces())
def test_states_and_candidates_are_the_same_thing(space: Space) -> None:
    lattice = Lattice(space)
    assert lattice.candidate(lattice.default) == space.default()
    states = lattice.all_legal()
    assert len(set(states)) == len(states) > 0
    for state in states:
        candidate = lattice.candidate(state)
        assert space.is_legal(candidate)
        assert lattice.state(candidate) == state


@given(spaces())
def test_moves_are_the_legal_neighbours_and_stay_in_the_space(space: Space) -> None:
    lattice = Lattice(space)
    legal = set(lattice.all_legal())
    for state in legal:
        row = lattice.rows([state])
        mask = lattice.mask(row)[0]
        assert mask[0]
        reached = [tuple(lattice.move(row, np.array([a]))[0].tolist()) for a in np.flatnonzero(mask)]
        assert reached[0] == state
        assert len(set(reached)) == len(reached)
        assert set(reached) <= legal
        assert set(lattice.neighbours(state)) == set(reached[1:])
        steps = {lattice.state(c) for c in space.moves(lattice.candidate(state))}
        assert set(reached[1:]) <= steps
        if all(d.ordered or len(d.values) <= 3 for d in space.decisions):
            assert set(reached[1:]) == steps


@given(spaces(), st.integers(0, 100))
def test_values_that_are_not_allowed_are_left_out(space: Space, seed: int) -> None:
    lattice, rng = Lattice(space), np.random.default_rng(seed)
    allowed = [rng.random(size) < 0.7 for size in lattice.sizes.tolist()]
    for row, at in zip(allowed, lattice.default, strict=True):
        row[at] = True
    legal = set(lattice.all_legal())
    lattice.allow(allowed)
    left = {s for s in legal if all(a[i] for a, i in zip(allowed, s, strict=True))}
    assert set(lattice.all_legal()) == left
    assert set(lattice.draw(rng, 20)) <= left
    assert all(set(lattice.neighbours(state)) <= left for state in left)
    assert not lattice.allow(allowed)


def test_candidates_of_other_spaces_have_no_state() -> None:
    space = Space("tiled", 1, (Decision("tile", (1, 2), 1),))
    lattice = Lattice(space)
    for stranger in (
        Space("other", 1, space.decisions),
        Space("tiled", 2, space.decisions),
        Space("tiled", 1, (Decision("tile", (3,), 3),)),
        Space("tiled", 1, ()),
    ):
        assert lattice.state(stranger.default()) is None


@settings(deadline=None)
@given(spaces())
def test_features_are_finite_and_tell_candidates_apart(space: Space) -> None:
    lattice, features = Lattice(space), SpaceFeatures(matmul_task(), space)
    states = lattice.rows(lattice.all_legal())
    rows = features.model_rows(states)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert len(np.unique(rows, axis=0)) == len(states)


@settings(deadline=None)
@given(spaces(), st.booleans())
def test_constraints_are_asked_once_a_state_however_large_the_space(space: Space, is_large: bool) -> None:
    asked: list[tuple[Value, ...]] = []

    def constraint(values: Mapping[str, Value]) -> bool:
        asked.append(tuple(values.values()))
        return space.constraint({d.name: values[d.name] for d in space.decisions})

    # 2^64 states do not fit a table of codes.
    rest = tuple(Decision(f"fixed{i}", (1, 2), 1) for i in range(64 * is_large))
    lattice = Lattice(Space("counted", 1, (*rest, *space.decisions), constraint))
    rng = np.random.default_rng(0)
    for _ in range(3):
        states = lattice.rows([lattice.default, *lattice.draw(rng, 8)])
        mask = lattice.mask(states)
        for state, row in zip(states, mask, strict=True):
            moved = lattice.move(np.tile(state, (mask.shape[1], 1)), np.arange(mask.shape[1]))
            assert lattice.are_legal(moved[row]).all()
            assert all(lattice.is_legal(tuple(legal)) for legal in moved[row].tolist())
    assert len(set(asked)) == len(asked)
