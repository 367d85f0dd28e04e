"""`harl-mlir train`: trains what the agent starts from, from the records of a database."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harl_mlir import __version__
from harl_mlir.cli.terminal import Outcome, Terminal
from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import InputError, Place, UsageError
from harl_mlir.files import default_database, make_directory
from harl_mlir.lab import library
from harl_mlir.lab.recorded import load
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import bindings_version
from harl_mlir.search.pretrained import write
from harl_mlir.training.dataset import LEAST_RECORDS, TrainingSet, read_training_set, recorded_group
from harl_mlir.training.held_out import load_held_out

if TYPE_CHECKING:  # importing it takes a while
    import xgboost

    from harl_mlir.training.cost_training import Ordering

LEAST_TASKS = 2
"""Fewer cannot tell what holds for other tasks."""
FOLDS = 5
_ROUNDED = 4


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Train the agent that was named; `looptune` in a module of its own."""
    if options.agent == "looptune":
        from harl_mlir.cli import train_looptune

        return train_looptune.run(options, terminal)
    if options.agent != "harl":
        raise UsageError(
            f"the agent {options.agent} learns nothing beforehand; use --agent harl or --agent looptune"
        )
    return _train_harl(options, terminal)


def _train_harl(options: Namespace, terminal: Terminal) -> Outcome:
    """Read, validate by leaving tasks out, train on all, evaluate, write."""
    if options.walks < 1:
        raise UsageError(f"{options.walks} walks train no policy; use --walks 1 or more")
    spaces = [library.find(named) for named in options.evaluate]
    data = _data(options.database or default_database(), terminal)
    make_directory(options.output)

    from harl_mlir.training import cost_training, policy_training

    validation = cost_training.cross_validate(data.tasks, FOLDS, options.seed)
    for name, of_task in validation.items():
        terminal.progress(f"left out: {name}: {_line(of_task)}")
    mean = cost_training.mean(list(validation.values()))
    terminal.result(f"{len(validation)} tasks, each left out once: {_line(mean)}")
    booster = cost_training.train_cost_model(data.tasks, options.seed)
    policy = policy_training.train_policy(data.tasks, booster, options.seed, options.walks, terminal.progress)
    evaluated: dict[str, Any] = {}
    for path in spaces:
        evaluated |= _evaluate(path, booster, options.seed, terminal)
    reached = policy_training.compare_policies(data.tasks, booster, policy, options.seed)
    terminal.result(
        f"mean score where tracks end after 12 steps: {reached.trained:.3f} by the policy, "
        f"{reached.untrained:.3f} by a new one, {reached.random:.3f} by random moves"
    )
    facts = {
        **_recipe(options, data),
        "left_out": _rounded(asdict(mean)),
        "recorded_spaces": evaluated,
        "walks": options.walks,
        "walks_reach": _rounded(asdict(reached)),
    }
    written = write(options.output, booster, policy.weights(), facts)
    for path in written:
        terminal.result(f"wrote {path}")
    fields = {
        name: facts[name] for name in ("tasks", "records", "left_out", "recorded_spaces", "walks_reach")
    }
    held_out = {"held_out": list(data.held_out)}
    return Outcome(fields={**fields, **held_out, "written": [str(path) for path in written]})


def _data(path: Path, terminal: Terminal) -> TrainingSet:
    place = Place(str(path))
    if not path.is_file():
        raise InputError("there is no such database; name one with --database", place)
    with Database(path) as database:
        data = read_training_set(database, this_processor(), load_held_out().workloads)
    for label in data.held_out:
        terminal.progress(f"skipped: {label}: this workload is held out of training")
    for reason, count in data.skipped.items():
        terminal.progress(f"skipped: {count} tasks: {reason}")
    if len({task.task.key for task in data.tasks}) < LEAST_TASKS:
        raise InputError(
            f"of its tasks, {len(data.tasks)} can be trained on ({len(data.held_out)} are held out), and at "
            f"least {LEAST_TASKS} are needed; tune other kernels into it with {LEAST_RECORDS} trials or more",
            place,
        )
    terminal.result(f"training on {data.records} records of {len(data.tasks)} tasks")
    return data


def _evaluate(path: Path, booster: xgboost.Booster, seed: int, terminal: Terminal) -> dict[str, Any]:
    from harl_mlir.training.cost_training import ordering, predict

    recording, found = load(path), dict[str, Any]()
    for recorded in recording.tasks:
        name = f"{recording.name}: {recorded.task.label()}"
        group = recorded_group(recorded)
        if group is None:
            terminal.progress(f"{name}: its sketches have changed since it was recorded")
            continue
        ordered = ordering(predict(booster, group.rows), group.relative, seed)
        terminal.result(f"{name}: {_line(ordered)}")
        found[name] = _rounded(asdict(ordered))
    return found


def _recipe(options: Namespace, data: TrainingSet) -> dict[str, Any]:
    """How the weights came to be, without names of this machine's directories."""
    words = ["harl-mlir train --agent harl"]
    if options.database:
        words.append(f"--database {options.database.name}")
    if options.seed:
        words.append(f"--seed {options.seed}")
    words.append(f"--walks {options.walks} -o {options.output.name}")
    versions: dict[str, object] = {name: metadata.version(name) for name in ("xgboost-cpu", "numpy")}
    versions |= {"harl_mlir": __version__, "bindings": bindings_version(), "lowering": LOWERING_VERSION}
    spaces = {(space.sketch, space.version) for task in data.tasks for space in task.spaces}
    versions |= {f"sketch {name}": version for name, version in sorted(spaces)}
    return {
        "command": " ".join(words),
        "kernels": "python -m benchmarks.training_kernels",
        "processor": this_processor().name,
        "tasks": len(data.tasks),
        "records": data.records,
        "proposed_by": dict(sorted(data.agents.items())),
        "training_keys_sha256": data.digest,
        "training_keys": data.keys,
        "versions": versions,
    }


def _line(ordered: Ordering) -> str:
    return (
        f"{100 * ordered.pairwise:.1f} % of pairs in order, recall@30 {ordered.recall:.2f}, "
        f"best of these {100 * ordered.best:.1f} % of the best"
    )


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(number, _ROUNDED) for name, number in numbers.items()}
