"""The arguments of the subcommands that search policies are judged and trained by."""

from __future__ import annotations

import argparse
from pathlib import Path

from harl_mlir.cli import converters as to
from harl_mlir.cli import shared_arguments as shared
from harl_mlir.settings import DEFAULT_AGENT

DEFAULT_WALKS = 600
"""Walks of the policy in training, unless the user says."""
DEFAULT_STRETCHES, DEFAULT_MEASURING = 10, 3600.0
"""Of training looptune, unless the user says."""
DEFAULT_POINTS = 5000
"""Candidates recorded of a task, unless the user says."""


def add_compared(command: argparse.ArgumentParser) -> None:
    """Those of `compare`."""
    add = command.add_argument
    add(
        "kernels",
        type=to.path,
        nargs="*",
        metavar="KERNEL.mlir",
        help="search these kernels on this machine",
    )
    add(
        "--replay",
        nargs="*",
        metavar="SPACE",
        help="search recorded spaces without a clock: files or names (all that come with the package)",
    )
    add(
        "--agents",
        type=to.names,
        required=True,
        metavar="A,B,...",
        help="search policies, the first is the measure",
    )
    shared.add_weights(command)
    add("--seeds", type=to.whole, default=20, metavar="N", help="runs of each agent on each task (20)")
    add("--trials", type=to.whole, default=64, metavar="N", help="candidates measured in a run (64)")
    add(
        "--json",
        type=to.path,
        required=True,
        metavar="OUT.json",
        help="where the result goes; OUT.html beside it; an earlier result is gone on with",
    )


def add_recorded(command: argparse.ArgumentParser) -> None:
    """Those of `record-space`."""
    shared.add_kernel(command)
    add = command.add_argument
    add(
        "-o",
        "--output",
        type=to.path,
        required=True,
        metavar="SPACE.npz",
        help="where the recorded space goes",
    )
    add(
        "--values",
        type=to.path,
        metavar="VALUES.json",
        help="value lists of decisions, by sketch (all values)",
    )
    add(
        "--points",
        type=to.whole,
        default=DEFAULT_POINTS,
        metavar="N",
        help=f"thin the values to at most N candidates a task ({DEFAULT_POINTS})",
    )
    add("--dry-run", action="store_true", help="only say what would be recorded")
    add("--function", metavar="NAME", help="record only this function")
    shared.add_shape(command)


def add_trained(command: argparse.ArgumentParser) -> None:
    """Those of `train`."""
    add = command.add_argument
    add("--agent", default=DEFAULT_AGENT, metavar="NAME", help=f"harl or looptune ({DEFAULT_AGENT})")
    add(
        "--database",
        type=to.path,
        metavar="FILE",
        help="measurements to train on (those in the user's cache directory)",
    )
    add(
        "-o",
        "--output",
        type=to.path,
        default=Path("harl-weights"),
        metavar="DIRECTORY",
        help="where the weights go (harl-weights)",
    )
    add(
        "--evaluate",
        nargs="*",
        default=(),
        metavar="SPACE",
        help="recorded spaces to try the cost model on: files, or names of the package's",
    )
    add("--walks", type=to.whole, default=DEFAULT_WALKS, metavar="N", help=f"of the policy ({DEFAULT_WALKS})")
    add(
        "--stretches",
        type=to.whole,
        default=DEFAULT_STRETCHES,
        metavar="N",
        help=f"looptune: rounds of measuring and learning, after each of which it can be stopped "
        f"({DEFAULT_STRETCHES})",
    )
    add(
        "--measure",
        type=to.number,
        default=DEFAULT_MEASURING,
        metavar="S",
        help=f"looptune: seconds of measuring in all ({DEFAULT_MEASURING:g})",
    )
    add("--seed", type=to.whole, default=0, metavar="N", help="the same seed trains the same weights (0)")
