"""`harl-mlir train --agent looptune`: trains the estimate and the policies of walks through loop nests."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from importlib import metadata
from typing import Any

from harl_mlir import __version__
from harl_mlir.cli.terminal import Outcome, Terminal
from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import UsageError
from harl_mlir.files import default_database, make_directory
from harl_mlir.looptune import weights
from harl_mlir.looptune.actions import CONFIGURATIONS
from harl_mlir.looptune.checkpoint import Checkpoint
from harl_mlir.looptune.collect import Collector
from harl_mlir.looptune.dataset import Dataset
from harl_mlir.looptune.learner import LearnerSettings, new_policy
from harl_mlir.looptune.problems import Problem, module, other_problems, training_matmuls
from harl_mlir.looptune.training import Stretch, Training
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import bindings_version, this_environment
from harl_mlir.search.flat_weights import Floats
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import SKETCH, VERSION, rules_for
from harl_mlir.tasks.task import Task
from harl_mlir.training.held_out import load_held_out

MOST_MEASURING = 7200.0
"""Seconds: the most that is spent on measuring."""
_MATMULS = 0.45
"""How often a problem is one of the matmuls of LoopTune, against the others."""
_AT_ONCE = 200
"""Problems analysed in one module."""

Weighted = list[tuple[tuple[Task, NestRules], float]]


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Measure, fit and learn in stretches; write the weights. What was interrupted goes on."""
    if not 0 <= options.measure <= MOST_MEASURING:
        raise UsageError(f"--measure {options.measure:g} is not within 0 and {MOST_MEASURING:g} seconds")
    if options.stretches < 1 or options.walks < options.stretches:
        raise UsageError("there has to be a stretch, and a walk in each; use --stretches and --walks")
    make_directory(options.output)
    path = options.database or default_database()
    with Pool() as pool, Database(path) as database:
        peak = pool.peak()
        problems, held_out = _problems(pool)
        environment = this_environment(this_processor(), 1, LOWERING_VERSION)
        terminal.result(f"{len(problems)} problems, {held_out} more held out")
        weighted = [(task, rules, weight) for (task, rules), weight in problems]
        training = Training(
            options.output,
            Dataset(database, environment, this_processor(), peak),
            Collector(pool, database, weighted, peak, options.seed),
            problems,
            options.seed,
        )
        stretch = Stretch(options.measure / options.stretches, options.walks // options.stretches)
        checkpoint, estimate = training.run(options.stretches, stretch, terminal.progress)
    facts = _recipe(options, checkpoint, len(training.dataset.shares), problems)
    written = weights.write(
        options.output,
        estimate.booster,
        _policies(checkpoint),
        checkpoint.peak / 1e9,
        facts,
        training.dataset.memory(),
    )
    for file in written:
        terminal.result(f"wrote {file}")
    fields = {name: facts[name] for name in ("problems", "records", "hours", "measured_hours", "reached")}
    return Outcome(fields={**fields, "written": [str(file) for file in written]})


def _problems(pool: Pool) -> tuple[Weighted, int]:
    """The problems that may be trained on, with their weights, and how many are held out."""
    judged = load_held_out().workloads
    matmuls, others = training_matmuls(), other_problems()
    groups: list[tuple[tuple[Problem, ...], float]] = [
        (matmuls, _MATMULS / len(matmuls)),
        (others, (1 - _MATMULS) / len(others)),
    ]
    found: Weighted = []
    held_out = 0
    for group, weight in groups:
        for begin in range(0, len(group), _AT_ONCE):
            text = module(group[begin : begin + _AT_ONCE])
            for task in pool.analyse(text, "problems").tasks:
                rules = rules_for(task, this_processor())
                held_out += task.key in judged
                if rules is not None and task.key not in judged:
                    found.append(((task, rules), weight))
    return found, held_out


def _policies(checkpoint: Checkpoint) -> dict[str, dict[str, Floats]]:
    found = {}
    for configuration in CONFIGURATIONS:
        policy = new_policy(configuration, LearnerSettings(), checkpoint.seed)
        state = checkpoint.state(configuration.name)
        assert state is not None
        policy.set_state(state)
        found[configuration.name] = policy.weights()
    return found


def _recipe(options: Namespace, checkpoint: Checkpoint, records: int, problems: Weighted) -> dict[str, Any]:
    """How the weights came to be, without names of this machine's directories."""
    words = ["harl-mlir train --agent looptune"]
    if options.database:
        words.append(f"--database {options.database.name}")
    if options.seed:
        words.append(f"--seed {options.seed}")
    words.append(f"--stretches {options.stretches} --measure {options.measure:g} --walks {options.walks}")
    keys = sorted(task.key for (task, _), _ in problems)
    last = {point.configuration: point for point in checkpoint.curve}
    return {
        "command": " ".join([*words, f"-o {options.output.name}"]),
        "seed": checkpoint.seed,
        "processor": this_processor().name,
        "problems": len(problems),
        "problem_keys_sha256": hashlib.sha256("".join(f"{key}\n" for key in keys).encode()).hexdigest(),
        "records": records,
        "hours": round(checkpoint.seconds / 3600, 2),
        "measured_hours": round(checkpoint.measured_seconds / 3600, 2),
        "estimate_errors": checkpoint.errors,
        "reached": {name: {"last": point.last, "best": point.best} for name, point in last.items()},
        "curve": checkpoint.curve,
        "versions": {
            **{name: metadata.version(name) for name in ("xgboost-cpu", "numpy")},
            "harl_mlir": __version__,
            "bindings": bindings_version(),
            "lowering": LOWERING_VERSION,
            f"sketch {SKETCH}": VERSION,
        },
    }
