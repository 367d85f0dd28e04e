"""Trained weights as files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.errors import InputError
from harl_mlir.looptune import checkpoint as checkpoints
from harl_mlir.looptune.actions import CONFIGURATIONS, PRODUCT
from harl_mlir.looptune.columns import COLUMNS
from harl_mlir.looptune.learner import LearnerSettings, new_policy
from harl_mlir.looptune.observation import width
from harl_mlir.looptune.weights import ABOUT, ESTIMATE, load, write

AGAIN = r".*; train them again with harl-mlir train --agent looptune"


@pytest.fixture
def copied(weights_directory: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(weights_directory, tmp_path / "copied"))


def test_what_is_written_is_read(weights_directory: Path) -> None:
    found = load(weights_directory)
    state = checkpoints.read(weights_directory.parent, 0)
    assert found.peak_gflops == 100
    assert found.policies.keys() == {"paper", "product"}
    for configuration in CONFIGURATIONS:
        policy = new_policy(configuration, LearnerSettings(), 3)
        policy.set_weights(found.policies[configuration.name])
        kept = state.state(configuration.name)
        assert kept is not None
        np.testing.assert_array_equal(policy.state()["weights"], kept["weights"])
    rows = np.random.default_rng(0).normal(size=(9, len(COLUMNS))).astype(np.float32)
    assert np.isfinite(found.trees.inplace_predict(rows)).all()
    about = json.loads((weights_directory / ABOUT).read_text())
    assert about["note"] == "made up"
    assert about["columns"] == list(COLUMNS)
    assert about["widths"] == {c.name: width(c) for c in CONFIGURATIONS}
    assert load(weights_directory) is found


def test_the_same_weights_are_the_same_files(weights_directory: Path, tmp_path: Path) -> None:
    found = load(weights_directory)
    written = write(
        tmp_path / "again" / "here", found.trees, found.policies, found.peak_gflops, {"note": "made up"}
    )
    assert {path.name for path in written} == {ABOUT, ESTIMATE, "paper.npz", "product.npz"}
    for path in written:
        assert path.read_bytes() == (weights_directory / path.name).read_bytes()


@pytest.mark.parametrize("name", [ABOUT, ESTIMATE, "paper.npz", "product.npz"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(
        InputError, match=f"there are no weights of looptune here .*{name} is missing"
    ) as told:
        load(copied)
    assert "name the directory that harl-mlir train --agent looptune wrote" in str(told.value)


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no weights of looptune here"):
        load(tmp_path / "nowhere")
    (tmp_path / "file").write_text("weights")
    with pytest.raises(InputError, match="cannot be read" + AGAIN):
        load(tmp_path / "file")


@pytest.mark.parametrize("name", [ESTIMATE, "paper.npz", "product.npz"])
def test_a_damaged_file_is_refused(copied: Path, name: str) -> None:
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    for damaged in (data, data[:-1], b""):
        (copied / name).write_bytes(damaged)
        with pytest.raises(InputError, match=f"{name} is not the file that {ABOUT} tells of" + AGAIN):
            load(copied)


def test_a_file_that_nothing_is_told_of_is_refused(copied: Path) -> None:
    about = json.loads((copied / ABOUT).read_text())
    del about["files"][ESTIMATE]
    (copied / ABOUT).write_text(json.dumps(about))
    with pytest.raises(InputError, match=f"{ESTIMATE} is not the file that {ABOUT} tells of" + AGAIN):
        load(copied)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "one"}', "\0"])
def test_damaged_facts_are_refused(copied: Path, text: str) -> None:
    (copied / ABOUT).write_text(text)
    with pytest.raises(InputError, match="these weights cannot be read" + AGAIN):
        load(copied)


CHANGES: dict[str, object] = {
    "format": 0,
    "agent": "harl",
    "columns": [*COLUMNS[1:], COLUMNS[0]],
    "widths": {"paper": 1, "product": 2},
    "actions": {"paper": [], "product": [action.name for action in PRODUCT.actions]},
}


@pytest.mark.parametrize("name", CHANGES)
def test_weights_of_another_version_are_refused(copied: Path, name: str) -> None:
    about = json.loads((copied / ABOUT).read_text())
    about[name] = CHANGES[name]
    (copied / ABOUT).write_text(json.dumps(about))
    with pytest.raises(InputError, match="of another agent or version" + AGAIN) as told:
        load(copied)
    assert str(copied) in str(told.value)
