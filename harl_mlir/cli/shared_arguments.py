"""Arguments that several subcommands have."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

from harl_mlir.accuracy import ACCURACIES, DEFAULT_ACCURACY
from harl_mlir.cli import converters as to
from harl_mlir.search.registry import SHIPPED_WEIGHTS


class Names:
    """Choices that are looked up only for the help: whoever uses the name refuses what is none of them."""

    def __init__(self, known: Callable[[], Sequence[str]]) -> None:
        self._known = known

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())


def add_weights(command: argparse.ArgumentParser) -> None:
    """`--weights`."""
    command.add_argument(
        "--weights",
        type=to.weights,
        default=SHIPPED_WEIGHTS,
        metavar="DIRECTORY",
        help="trained weights that harl starts from or looptune walks by, or none (those of the package)",
    )


def add_kernel(command: argparse.ArgumentParser) -> None:
    """The kernel's file."""
    command.add_argument(
        "kernel", type=to.path, metavar="KERNEL.mlir", help="linalg ops on tensors or memrefs"
    )


def add_shape(command: argparse.ArgumentParser) -> None:
    """`--shape`."""
    command.add_argument(
        "--shape",
        type=to.shape,
        action="append",
        default=[],
        metavar="ARG=DIMxDIM...",
        help="make an argument's dynamic dims static, by name or number; may be repeated",
    )


def add_threads(command: argparse.ArgumentParser) -> None:
    """`--threads`."""
    command.add_argument(
        "--threads", type=to.whole, default=1, metavar="N", help="threads a kernel runs on (1)"
    )


def add_accuracy(command: argparse.ArgumentParser) -> None:
    """`--accuracy`."""
    command.add_argument(
        "--accuracy",
        choices=ACCURACIES,
        default=DEFAULT_ACCURACY,
        help="strict: results bit for bit those of the untuned kernel;"
        f" reassociate: sums in any order, fused multiply-add ({DEFAULT_ACCURACY});"
        " approximate: functions such as exp and tanh as polynomials, too",
    )
