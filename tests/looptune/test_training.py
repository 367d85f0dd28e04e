"""Training that is stopped and goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import pytest

from harl_mlir.errors import InputError
from harl_mlir.looptune import checkpoint as checkpoints
from harl_mlir.looptune import training
from harl_mlir.looptune.actions import CONFIGURATIONS
from harl_mlir.looptune.checkpoint import FILE, Checkpoint
from harl_mlir.looptune.learner import Learner
from harl_mlir.search.flat_weights import Floats
from harl_mlir.space.nest.nest import parse
from tests.conftest import ROOT
from tests.looptune.landscapes import PEAK
from tests.looptune.trainings import PROBLEMS, RECORDS, STRETCH, TINY, train


def without_seconds(checkpoint: Checkpoint) -> bytes:
    return msgspec.msgpack.encode(msgspec.structs.replace(checkpoint, seconds=0.0))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which two stretches were trained without a break."""
    directory = tmp_path_factory.mktemp("whole")
    lines: list[str] = []
    checkpoint, _, planter = train(directory, 2, told=lines.append)
    assert without_seconds(checkpoint) == without_seconds(checkpoints.read(directory, 0))
    assert planter.wanted[0] == 0 < planter.wanted[1]
    assert lines[-1] == "stretch 2 of 2 done"
    return directory


def test_what_a_checkpoint_says(whole: Path) -> None:
    found = checkpoints.read(whole, 0)
    assert (found.stretches, found.measured_seconds) == (2, 2 * STRETCH.measuring)
    assert found.seconds > 0
    assert len(found.errors) == 2
    assert max(found.errors) < 0.3
    assert [(point.configuration, point.stretch, point.updates) for point in found.curve] == [
        *(("paper", 0, 10), ("product", 0, 10), ("paper", 1, 20), ("product", 1, 20))
    ]
    assert all(point.last <= point.best for point in found.curve)
    rules_of = {task.key: rules for task, rules in PROBLEMS}
    assert found.wanted
    for key, text in found.wanted:
        assert rules_of[key].is_legal(parse(rules_of[key].op.dims, text))


@pytest.mark.parametrize("when", ["collects", "learned"])
def test_what_was_killed_goes_on_as_if_it_had_not_been(
    whole: Path, tmp_path: Path, when: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the peak is measured a little differently the second time."""
    command = [sys.executable, "-m", "tests.looptune.trainings", str(tmp_path), when]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, timeout=120, check=False, capture_output=True, text=True
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert checkpoints.read(tmp_path, 0).stretches == 1
    assert {path.name for path in tmp_path.iterdir()} >= {FILE, "m.db"}
    stretches: list[int] = []
    go_on = Learner.go_on

    def noted(self: Learner, state: Mapping[str, Floats], stretch: int) -> None:
        stretches.append(stretch)
        go_on(self, state, stretch)

    monkeypatch.setattr(Learner, "go_on", noted)
    checkpoint, _, planter = train(tmp_path, 2, peak=1.1 * PEAK)
    assert stretches == [1, 1]
    assert planter.peak == checkpoint.peak == PEAK
    assert without_seconds(checkpoint) == without_seconds(checkpoints.read(whole, 0))
    assert without_seconds(checkpoint) == without_seconds(checkpoints.read(tmp_path, 0))


def test_what_is_done_is_not_done_again(whole: Path) -> None:
    before = (whole / FILE).read_bytes()
    checkpoint, estimate, planter = train(whole, 2)
    assert planter.wanted == []
    assert (whole / FILE).read_bytes() == before
    assert without_seconds(checkpoint) == without_seconds(checkpoints.read(whole, 0))
    (task, rules), *_ = PROBLEMS
    good, plain = (parse(rules.op.dims, text) for text in ("0/8 1/32 2/1 0/1u 1/1v", "0/1 1/1 2/1"))
    shares = estimate(task, rules, [good, plain])
    assert shares[0] > shares[1] + 0.2


def test_another_seed_and_a_damaged_checkpoint_are_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="training with seed 0 was begun here; go on with that") as refused:
        train(whole, 2, seed=1)
    assert str(whole / FILE) in str(refused.value)
    data = (whole / FILE).read_bytes()
    for damaged in (b"", data[: len(data) // 2], b"not a checkpoint", b"\x81\xa4seed\xa1x"):
        (tmp_path / FILE).write_bytes(damaged)
        with pytest.raises(InputError, match=r"cannot be read .*remove it to start again"):
            train(tmp_path, 1)
        assert (tmp_path / FILE).read_bytes() == damaged


def test_too_few_records_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "LEAST_RECORDS", len(PROBLEMS) * RECORDS + 1)
    with pytest.raises(InputError, match=r"600 measured nests are too few .* with --measure"):
        train(tmp_path, 1)
    assert not (tmp_path / FILE).exists()


def test_the_state_of_a_learner_goes_through_a_checkpoint(tmp_path: Path) -> None:
    checkpoint = checkpoints.read(tmp_path, 7)
    assert (checkpoint.seed, checkpoint.stretches) == (7, 0)
    for configuration in CONFIGURATIONS:
        assert checkpoint.state(configuration.name) is None
        made = Learner(configuration, PROBLEMS, [1.0] * len(PROBLEMS), TINY, 0)
        checkpoint.keep(configuration.name, made.state())
        checkpoints.write(tmp_path, checkpoint)
        found = checkpoints.read(tmp_path, 7).state(configuration.name)
        assert found is not None
        assert found.keys() == made.state().keys()
        for name, array in made.state().items():
            np.testing.assert_array_equal(found[name], array)
        made.go_on(found, 1)
