"""The weights that come with the package: loadable, small, and trained on nothing that is held out."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from benchmarks.training_kernels import checked_kernels
from harl_mlir.measure.pool import Pool
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.move_policy import MovePolicy
from harl_mlir.search.observations import FEATURES, GLOBALS
from harl_mlir.search.pretrained import load_weights
from harl_mlir.search.registry import SHIPPED_WEIGHTS
from harl_mlir.search.settings import PRESETS
from harl_mlir.training.held_out import load_held_out


def test_the_shipped_weights_fit_this_version() -> None:
    pretrained = load_weights(SHIPPED_WEIGHTS)
    assert pretrained is not None
    for settings in PRESETS.values():
        MovePolicy(GLOBALS, FEATURES, settings, 0).set_weights(pretrained.policy)
    rows = np.zeros((3, SpaceFeatures.nest_width), dtype=np.float32)
    assert np.isfinite(pretrained.cost_model.inplace_predict(rows)).all()
    assert sum(path.stat().st_size for path in SHIPPED_WEIGHTS.iterdir()) < 1_000_000


def test_the_shipped_weights_were_trained_on_kernels_of_the_recipe_alone() -> None:
    about = json.loads((SHIPPED_WEIGHTS / "about.json").read_text())
    with Pool() as pool:
        keys = {task.key for name, text in checked_kernels() for task in pool.analyse(text, name).tasks}
    trained = set(about["training_keys"])
    assert trained <= keys
    assert not trained & set(load_held_out().workloads)
    assert about["tasks"] == len(trained)
    text = "".join(f"{key}\n" for key in sorted(trained))
    assert about["training_keys_sha256"] == hashlib.sha256(text.encode()).hexdigest()
