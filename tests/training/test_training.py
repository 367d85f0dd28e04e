"""Training on planted records: what is skipped, what is learned, what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harl_mlir.errors import InputError
from harl_mlir.lab.contenders import WARM_EVOLUTION, make_contender
from harl_mlir.measure.measurement import Measurement
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.search.agent import Problem, Proposal, Trial
from harl_mlir.search.harl import HARL
from harl_mlir.search.pretrained import Pretrained, load, load_weights, slim, write
from harl_mlir.search.settings import QUICK
from harl_mlir.space.sketches import sketches_for
from harl_mlir.training.cost_training import (
    Ordering,
    cross_validate,
    mean,
    ordering,
    predict,
    train_cost_model,
)
from harl_mlir.training.dataset import TrainingSet, read_training_set
from harl_mlir.training.policy_training import compare_policies, train_policy
from tests.training.planted import add_task, plant

TASKS = [add_task(rows, columns) for rows, columns in ((64, 512), (96, 768), (200, 320), (48, 1024))]
Command = Callable[..., Any]


def read(path: Path, held_out: tuple[str, ...] = ()) -> TrainingSet:
    with Database(path) as database:
        return read_training_set(database, this_processor(), dict.fromkeys(held_out))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    path = tmp_path_factory.mktemp("records") / "m.db"
    plant(path, TASKS)
    return read(path)


@pytest.fixture(scope="module")
def weights(data: TrainingSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("weights") / "harl"
    booster = train_cost_model(data.tasks, 0)
    write(directory, booster, train_policy(data.tasks, booster, 0, walks=2).weights(), {"note": "planted"})
    return directory


def test_what_is_held_out_too_little_or_of_another_processor_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    plant(path, TASKS[:2])
    plant(path, [add_task(80, 640)], count=5)
    plant(path, [add_task(80, 512)], processor="another")
    found = read(path, held_out=(TASKS[0].key,))
    assert [group.task.key for group in found.tasks] == [TASKS[1].key]
    assert found.held_out == (TASKS[0].label(),)
    assert found.skipped == {"fewer than 16 usable records on this processor": 2}
    assert found.agents == {"random": found.records}
    (group,) = found.tasks
    assert group.relative.max() == 1.0
    assert (group.relative == 0).sum() == found.records // 11
    assert found.digest != read(path).digest


def test_the_newest_record_of_a_candidate_counts(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    plant(path, TASKS[:1])
    with Database(path) as database:
        (environment,) = database.environments()
        records = database.records(TASKS[0].key, environment)
        fast = replace(records[0].measurement, seconds=1e-12)
        database.add(replace(records[0], measurement=fast))
        database.add(replace(records[1], measurement=replace(fast, seconds=1e-15), stage="final"))
    (group,) = read(path).tasks
    assert group.relative[0] == 1.0
    assert len(group.relative) == len(records)


def test_tasks_left_out_are_ordered(data: TrainingSet) -> None:
    found = cross_validate(data.tasks, 4, 0)
    assert len(found) == len(TASKS)
    together = mean(list(found.values()))
    assert together.pairwise > 0.75
    assert together.best > 0.9


def test_ordering_of_known_scores() -> None:
    relative = np.linspace(0.01, 1, 400).astype(np.float32)
    assert ordering(relative, relative, 0) == Ordering(1.0, 1.0, 1.0)
    backwards = ordering(-relative, relative, 0)
    assert backwards.pairwise == backwards.recall == 0.0
    assert backwards.best == pytest.approx(relative[29])
    half = ordering(np.where(np.arange(400) >= 385, 1.0, 0.0).astype(np.float32), relative, 0)
    assert half.recall == 0.5
    assert half.best == 1.0


def test_equal_records_and_seed_train_equal_weights(data: TrainingSet) -> None:
    first, second = (train_cost_model(data.tasks, 3) for _ in range(2))
    assert slim(first) == slim(second)
    policies = [train_policy(data.tasks, first, 3, walks=2).weights() for _ in range(2)]
    for name, weight in policies[0].items():
        assert np.array_equal(weight, policies[1][name])


def test_the_policy_is_compared_with_a_new_one_and_random_moves(data: TrainingSet) -> None:
    booster = train_cost_model(data.tasks, 0)
    policy = train_policy(data.tasks, booster, 0, walks=2)
    before = policy.weights()
    reached = compare_policies(data.tasks, booster, policy, 0)
    assert all(0 < score <= 1.2 for score in (reached.trained, reached.untrained, reached.random))
    assert all(np.array_equal(before[name], weight) for name, weight in policy.weights().items())


def test_written_weights_are_read_and_predict_the_same(data: TrainingSet, weights: Path) -> None:
    pretrained = load(weights)
    booster = train_cost_model(data.tasks, 0)
    rows = data.tasks[0].rows
    assert np.allclose(predict(pretrained.cost_model, rows), predict(booster, rows), atol=1e-3)
    assert sum(path.stat().st_size for path in weights.iterdir()) < 1_000_000
    about = json.loads((weights / "about.json").read_text())
    assert about["note"] == "planted"
    assert set(about["files"]) == {"cost_model.json", "policy.npz"}


def test_harl_starts_from_the_weights(data: TrainingSet, weights: Path) -> None:
    task = add_task(128, 640)
    problem = Problem(task, sketches_for(task, this_processor()))

    def first(pretrained: Pretrained | None) -> tuple[list[Any], HARL]:
        agent = HARL([problem], 0, pretrained=pretrained)
        return agent.propose(8), agent

    warm, agent = first(load(weights))
    assert agent.acted["first_samples"] == 0
    assert agent.acted["by_score"] == len(warm) == QUICK.first_round
    assert warm == first(load(weights))[0]
    cold, agent = first(None)
    assert agent.acted["first_samples"] == 8
    assert warm != cold


def test_rounds_grow_from_small_ones_where_the_cost_model_was_trained(weights: Path) -> None:
    task = add_task(128, 640)
    agent = HARL([Problem(task, sketches_for(task, this_processor()))], 0, pretrained=load(weights))
    sizes = []
    for _ in range(3):
        proposals = agent.propose(64)
        sizes.append(len(proposals))
        agent.observe([Trial(p, Measurement(seconds=1e-3 + 1e-5 * i)) for i, p in enumerate(proposals)])
    assert sizes == [2, 4, 8]


def test_evolution_may_start_from_the_cost_model(weights: Path) -> None:
    task = add_task(128, 640)
    problem = Problem(task, sketches_for(task, this_processor()))

    def first(name: str) -> list[Proposal]:
        agent = make_contender(name, [problem], 0, 64, load(weights))
        agent.observe([Trial(Proposal(0, problem.spaces[0].default()), Measurement(seconds=1e-3))])
        return agent.propose(4)

    assert first(WARM_EVOLUTION) == first(WARM_EVOLUTION)
    assert first(WARM_EVOLUTION) != first("evolutionary")


def test_damaged_missing_and_foreign_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no weights here"):
        load(tmp_path)
    assert load_weights(None) is None
    for name in ("about.json", "cost_model.json", "policy.npz"):
        copy = tmp_path / name.partition(".")[0]
        copy.mkdir()
        for path in weights.iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
        (copy / name).write_bytes((copy / name).read_bytes()[:-40])
        with pytest.raises(InputError, match="train them again"):
            load(copy)
    about = json.loads((weights / "about.json").read_text())
    other = tmp_path / "columns"
    other.mkdir()
    for path in weights.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    (other / "about.json").write_text(json.dumps({**about, "columns": about["columns"][1:]}))
    with pytest.raises(InputError, match="other features"):
        load(other)


def test_the_command_trains_and_says_what_it_skipped(harl_mlir: Command, tmp_path: Path) -> None:
    plant(tmp_path / "m.db", TASKS)
    words = ("train", "--agent", "harl", "--database", "m.db", "-o", "w", "--walks", "2")
    trained = harl_mlir(*words, "--json")
    assert trained.exit_code == 0, trained.err
    assert trained.object["tasks"] == 4
    assert 0.5 < trained.object["left_out"]["pairwise"] <= 1
    about = json.loads((tmp_path / "w" / "about.json").read_text())
    assert about["command"] == "harl-mlir train --agent harl --database m.db --walks 2 -o w"
    assert about["training_keys_sha256"]
    assert str(tmp_path) not in (tmp_path / "w" / "about.json").read_text()


def test_the_command_refuses_a_database_of_held_out_tasks(harl_mlir: Command, tmp_path: Path) -> None:
    from harl_mlir.training.held_out import load_held_out

    key = next(iter(load_held_out().workloads))
    plant(tmp_path / "m.db", [replace(TASKS[0], key=key), TASKS[1]])
    refused = harl_mlir("train", "--database", "m.db", "-o", "w", "--walks", "2")
    assert refused.exit_code == 1
    assert "held out of training" in refused.err
    assert "at least 2 are needed" in refused.err
    assert harl_mlir("train", "--agent", "random", "--database", "m.db").exit_code == 2
    assert "no such database" in harl_mlir("train", "--database", "none.db").err
