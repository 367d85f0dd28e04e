"""A fitted booster as arrays: predicts without XGBoost, whose import takes longer than a whole walk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # importing it takes a while
    import xgboost

_MOST_AT_ONCE = 512
"""Rows that are taken through all trees together: their nodes fit in the cache."""


@dataclass(frozen=True, eq=False)
class Trees:
    """Regression trees whose leaves are added up; node numbers run through all trees.

    Attributes:
        features, thresholds: a row goes to the first child of a node where its feature is less.
        children: the first child of each node, whose second is the next node; of a leaf the leaf itself.
        values: of the leaves; 0 elsewhere.
        roots: of each tree.
        depth: steps from a root to the deepest leaf.
        base: what the leaves are added to.
    """

    features: NDArray[np.int32]
    thresholds: NDArray[np.float32]
    children: NDArray[np.int32]
    values: NDArray[np.float32]
    roots: NDArray[np.int32]
    depth: int
    base: float

    def inplace_predict(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Float32 of one prediction a row, up to rounding those of the booster; rows hold no NaN."""
        parts = [self._predict(rows[i : i + _MOST_AT_ONCE]) for i in range(0, len(rows), _MOST_AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _predict(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        flat, width = rows.ravel(), rows.shape[1]
        first = (np.arange(len(rows)) * width)[:, None]
        at = np.broadcast_to(self.roots, (len(rows), len(self.roots)))
        for _ in range(self.depth):
            at = self.children[at] + (flat[first + self.features[at]] >= self.thresholds[at])
        predicted: NDArray[np.float32] = (self.values[at].sum(axis=1) + self.base).astype(np.float32)
        return predicted

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads: an .npz file that depends on nothing but the trees."""
        held = io.BytesIO()
        # Uncompressed, because it is read before every walk.
        np.savez(
            held,
            allow_pickle=False,
            features=self.features,
            thresholds=self.thresholds,
            children=self.children,
            values=self.values,
            roots=self.roots,
            depth=np.int64(self.depth),
            base=np.float64(self.base),
        )
        return held.getvalue()


def from_bytes(data: bytes) -> Trees:
    """The trees that `Trees.to_bytes` wrote. Raises ValueError, KeyError or zipfile.BadZipFile for others."""
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        return Trees(
            held["features"],
            held["thresholds"],
            held["children"],
            held["values"],
            held["roots"],
            int(held["depth"]),
            float(held["base"]),
        )


class _Tree(msgspec.Struct):
    left_children: list[int]
    right_children: list[int]
    split_indices: list[int]
    split_conditions: list[float]


def trees_of(booster: xgboost.Booster) -> Trees:
    """The trees of a booster that predicts numbers by squared error."""
    model = msgspec.json.decode(bytes(booster.save_raw("json")))["learner"]
    read = msgspec.convert(model["gradient_booster"]["model"]["trees"], list[_Tree])
    base = float(model["learner_model_param"]["base_score"].strip("[]"))
    numbers = [_children_together(tree) for tree in read]
    sizes = [len(order) for order in numbers]
    count = sum(sizes)
    features, children = np.zeros(count, np.int32), np.arange(count, dtype=np.int32)
    thresholds, values = np.full(count, np.inf, np.float32), np.zeros(count, np.float32)
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    for tree, order, root in zip(read, numbers, roots.tolist(), strict=True):
        place = {node: root + i for i, node in enumerate(order)}
        for node, at in place.items():
            if tree.left_children[node] < 0:
                values[at] = tree.split_conditions[node]  # XGBoost keeps the leaves' values there
            else:
                features[at], thresholds[at] = tree.split_indices[node], tree.split_conditions[node]
                children[at] = place[tree.left_children[node]]
    return Trees(features, thresholds, children, values, roots, max(map(_depth, read)), base)


def _children_together(tree: _Tree) -> list[int]:
    """The nodes of a tree so that the two children of one follow each other; the root comes first."""
    order = [0]
    for node in order:  # grows meanwhile
        if tree.left_children[node] >= 0:
            order += [tree.left_children[node], tree.right_children[node]]
    return order


def _depth(tree: _Tree) -> int:
    depth, level = 0, [0]
    while level := [
        child
        for node in level
        for child in (tree.left_children[node], tree.right_children[node])
        if child >= 0
    ]:
        depth += 1
    return depth
