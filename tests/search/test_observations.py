"""What the policy sees has the same form in every space."""

from __future__ import annotations

import numpy as np

from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.search.observations import FEATURES, GLOBALS, KINDS, Observer
from harl_mlir.space.decision import Decision
from harl_mlir.space.space import Space
from tests.search.landscapes import matmul_task

SPACE = Space(
    "made up",
    1,
    (
        Decision("rows", (1, 2, 4), 2),
        Decision("order", ("ab", "ba"), "ab", ordered=False),
        Decision("tile_k", (8,), 8),
        Decision("something", (0, 3), 0),
    ),
)


def test_a_decision_is_told_by_kind_place_size_and_moves() -> None:
    lattice, features = Lattice(SPACE), SpaceFeatures(matmul_task(), SPACE)
    states = lattice.rows([(2, 1, 0, 0), (1, 0, 0, 1)])
    masks = lattice.mask(states)
    rows = Observer(matmul_task(), SPACE).rows(states, masks, features.nest_rows(states))
    assert rows.shape == (2, GLOBALS + 4 * FEATURES)
    decisions = rows[:, GLOBALS:].reshape(2, 4, FEATURES)
    kinds = [KINDS[k] for k in decisions[0, :, : len(KINDS)].argmax(axis=1)]
    assert kinds == ["rows", "order", "tile", "other"]
    place, from_default, _, count, ordered = decisions[0, 0, len(KINDS) : len(KINDS) + 5].tolist()
    assert (place, from_default, ordered) == (1.0, 0.5, 1.0)
    assert np.isclose(count, np.log2(3) / 4)
    assert decisions[0, 1, -6:-2].tolist() == [0, 1, 0, 0]
    assert decisions[1, 1, -6:-2].tolist() == [1, 0, 0, 0]
    assert (decisions[:, :, -2:] == masks[:, 1:].reshape(2, 4, 2)).all()
    assert np.isfinite(rows).all()


def test_a_space_without_decisions_is_seen() -> None:
    space = Space("one", 1, ())
    states, masks = np.zeros((3, 0), dtype=np.int64), np.ones((3, 1), dtype=bool)
    nests = SpaceFeatures(matmul_task(), space).nest_rows(states)
    assert Observer(matmul_task(), space).rows(states, masks, nests).shape == (3, GLOBALS)
