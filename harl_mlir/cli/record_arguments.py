"""The arguments of the subcommands that look into the database."""

from __future__ import annotations

import argparse

from harl_mlir.cli import converters as to

_RECORD = "a record by its number or the first digits of its workload key"


def add_explained(command: argparse.ArgumentParser) -> None:
    """Those of `explain`."""
    command.add_argument(
        "what", type=to.path, metavar="LIBRARY|RECORD", help=f"a schedule library, or {_RECORD}"
    )
    _add_database(command)
    command.add_argument(
        "--kernel",
        type=to.path,
        metavar="KERNEL.mlir",
        help="what the library was tuned on, where the database does not know it",
    )


def add_reproduced(command: argparse.ArgumentParser) -> None:
    """Those of `reproduce`."""
    command.add_argument("record", metavar="RECORD", help=_RECORD)
    command.add_argument(
        "-o", "--output", type=to.path, required=True, metavar="DIR", help="the directory that is made"
    )
    _add_database(command)


def _add_database(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--db",
        type=to.path,
        metavar="FILE",
        help="where the measurements are (in the user's cache directory)",
    )
