"""The command line's grammar."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harl_mlir import __version__
from harl_mlir.cli import converters as to
from harl_mlir.cli import shared_arguments as shared
from harl_mlir.cli.lab_arguments import add_compared, add_recorded, add_trained
from harl_mlir.cli.record_arguments import add_explained, add_reproduced
from harl_mlir.errors import UsageError, printable
from harl_mlir.measure.runners import LOCAL, runners
from harl_mlir.search.registry import agents
from harl_mlir.settings import DEFAULT_AGENT, DEFAULT_SECONDS, DEFAULT_TRIALS


class _Parser(argparse.ArgumentParser):
    """Raises UsageError instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The parsed command line; `command` names the subcommand.

    Raises:
        UsageError: the command line is wrong.
        SystemExit: for --help and --version, which print to stdout.
    """
    for word in arguments:
        if word.startswith("--") and word.endswith("=--"):  # argparse takes the dashes away
            raise UsageError(f"{printable(word)} gives no value; see `harl-mlir --help`")
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="harl-mlir",
        description="Tunes MLIR linalg kernels for this processor; gives back transform-dialect schedules.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"harl-mlir {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for add in _ADDED:
        command = add(commands)
        if add is not _add_compare:
            command.add_argument(
                "--json", action="store_true", help="print exactly one JSON object on stdout"
            )
        command.add_argument("--debug", action="store_true", help="show Python tracebacks")
    return parser


_Commands = argparse._SubParsersAction


def _add_explain(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser(
        "explain", help="say what a schedule does and what its choices cost", allow_abbrev=False
    )
    add_explained(command)
    return command


def _add_reproduce(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser(
        "reproduce", help="write a directory that runs a record with MLIR alone", allow_abbrev=False
    )
    add_reproduced(command)
    return command


def _add_tune(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser("tune", help="find fast schedules for a kernel", allow_abbrev=False)
    shared.add_kernel(command)
    add = command.add_argument
    add(
        "-o",
        "--output",
        type=to.path,
        metavar="TUNED.mlir",
        help="write the kernel with its schedules applied",
    )
    add(
        "--library",
        type=to.path,
        metavar="SCHEDULES.mlir",
        help="where the schedule library goes (KERNEL.schedules.mlir in the current directory)",
    )
    add("--function", metavar="NAME", help="tune only this function")
    shared.add_shape(command)
    add(
        "--trials",
        type=to.whole,
        default=DEFAULT_TRIALS,
        metavar="N",
        help=f"candidates to measure ({DEFAULT_TRIALS}); 0 takes the first choice without timing anything",
    )
    add(
        "--seconds",
        type=to.number,
        default=DEFAULT_SECONDS,
        metavar="S",
        help=f"wall time from process start, above 0 ({DEFAULT_SECONDS:g}); what ends first counts",
    )
    shared.add_threads(command)
    shared.add_accuracy(command)
    _add_search(command)
    return command


def _add_search(command: _Parser) -> None:
    """Who searches where, and what is kept of it."""
    add = command.add_argument
    add(
        "--agent",
        default=DEFAULT_AGENT,
        choices=shared.Names(agents),
        metavar="NAME",
        help=f"one of %(choices)s ({DEFAULT_AGENT})",
    )
    add(
        "--runner",
        default=LOCAL,
        choices=shared.Names(runners),
        metavar="NAME",
        help=f"who measures, one of %(choices)s ({LOCAL})",
    )
    add(
        "--check",
        action="store_true",
        help="with --trials 0, run each schedule once and compare its results (what is measured always is)",
    )
    add("--explain", action="store_true", help="with --agent looptune, print its walk step by step")
    add("--seed", type=to.whole, default=0, metavar="N", help="the same seed draws the same candidates (0)")
    shared.add_weights(command)
    add(
        "--db",
        type=to.path,
        metavar="FILE",
        help="where measurements are kept (in the user's cache directory)",
    )
    add("--schedule", type=to.path, metavar="SCRIPT.mlir", help="tune the knobs of this transform script")
    add("--tunable", action="store_true", help="keep the knobs in the schedule library")


def _add_apply(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser("apply", help="apply a schedule library to a kernel", allow_abbrev=False)
    shared.add_kernel(command)
    command.add_argument(
        "--library", type=to.path, required=True, metavar="SCHEDULES.mlir", help="what `tune` wrote"
    )
    command.add_argument(
        "-o", "--output", type=to.path, metavar="OUT.mlir", help="where the result goes (stdout)"
    )
    command.add_argument("--function", metavar="NAME", help="apply to only this function")
    shared.add_shape(command)
    return command


def _add_export(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser(
        "export", help="compile a kernel to libraries that C can use", allow_abbrev=False
    )
    shared.add_kernel(command)
    add = command.add_argument
    add("--library", type=to.path, metavar="SCHEDULES.mlir", help="what `tune` wrote (no schedules)")
    add(
        "-o",
        "--output",
        type=to.path,
        required=True,
        metavar="DIRECTORY",
        help="where object, libraries, header and packages go; an earlier export is replaced",
    )
    add(
        "--target-cpu",
        metavar="NAME",
        help="x86-64, x86-64-v2, -v3, -v4, or LLVM's name of a processor (this machine's)",
    )
    add("--function", metavar="NAME", help="export only this function")
    shared.add_threads(command)
    shared.add_shape(command)
    return command


def _add_opt(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser("opt", help="run MLIR passes and ours on a module", allow_abbrev=False)
    add = command.add_argument
    add("module", type=to.path, nargs="?", default=Path("-"), metavar="FILE", help="any MLIR module (stdin)")
    add(
        "--pass-pipeline",
        metavar="PIPELINE",
        help="as of mlir-opt, with harl-opt's passes (none; with --library harl-apply-schedules)",
    )
    add("--library", type=to.path, metavar="SCHEDULES.mlir", help="what passes apply that name no library")
    add("--allow-unregistered-dialect", action="store_true", help="let ops of unknown dialects be")
    add("--split-input-file", action="store_true", help="take the parts between `// -----` lines one by one")
    add("-o", "--output", type=to.path, metavar="OUT.mlir", help="where the module goes (stdout)")
    return command


def _add_time(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser("time", help="time a kernel's functions", allow_abbrev=False)
    shared.add_kernel(command)
    command.add_argument(
        "--library", type=to.path, metavar="SCHEDULES.mlir", help="time them with these schedules too"
    )
    command.add_argument("--function", metavar="NAME", help="time only this function")
    shared.add_shape(command)
    shared.add_threads(command)
    shared.add_accuracy(command)
    return command


def _add_doctor(commands: _Commands[_Parser]) -> _Parser:
    return commands.add_parser("doctor", help="say what is installed and what is missing", allow_abbrev=False)


def _add_compare(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser("compare", help="compare search policies", allow_abbrev=False)
    add_compared(command)
    return command


def _add_record_space(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser(
        "record-space", help="measure a whole space, to compare search policies on", allow_abbrev=False
    )
    add_recorded(command)
    return command


def _add_train(commands: _Commands[_Parser]) -> _Parser:
    command = commands.add_parser("train", help="train what an agent starts from", allow_abbrev=False)
    add_trained(command)
    return command


_ADDED = (
    _add_tune,
    _add_apply,
    _add_export,
    _add_opt,
    _add_time,
    _add_doctor,
    _add_compare,
    _add_record_space,
    _add_train,
    _add_explain,
    _add_reproduce,
)
