"""Runs a subcommand and turns every way it can end into an exit code."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harl_mlir.cli.arguments import parse
from harl_mlir.cli.plugin_warnings import show_plugin_warnings
from harl_mlir.cli.terminal import (
    INTERRUPTED,
    REFUSED,
    USAGE,
    Outcome,
    Terminal,
    discard,
    open_missing_streams,
)
from harl_mlir.clock import seconds_since_start
from harl_mlir.errors import HarlError, UsageError
from harl_mlir.interrupts import interrupt

Command = Callable[[Namespace, Terminal], Outcome]


def _tune(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.tune import run

    return run(options, terminal)


def _apply(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.apply import run

    return run(options, terminal)


def _export(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.export import run

    return run(options, terminal)


def _opt(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.opt import run

    return run(options, terminal)


def _time(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.time import run

    return run(options, terminal)


def _doctor(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.doctor import run

    return run(options, terminal)


def _compare(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.compare import run

    return run(options, terminal)


def _record_space(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.record_space import run

    return run(options, terminal)


def _train(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.train import run

    return run(options, terminal)


def _explain(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.explain import run

    return run(options, terminal)


def _reproduce(options: Namespace, terminal: Terminal) -> Outcome:
    from harl_mlir.cli.reproduce import run

    return run(options, terminal)


# Imports wait until a subcommand is chosen: `doctor` has to run where a dependency is missing.
_COMMANDS: Mapping[str, Command] = {
    "tune": _tune,
    "apply": _apply,
    "export": _export,
    "opt": _opt,
    "time": _time,
    "doctor": _doctor,
    "compare": _compare,
    "record-space": _record_space,
    "train": _train,
    "explain": _explain,
    "reproduce": _reproduce,
}

_LISTS = {
    "tune": ("tasks", "skipped"),
    "apply": ("ops", "skipped"),
    "export": ("functions", "skipped", "written"),
    "opt": ("remarks", "written"),
    "time": ("functions", "skipped"),
    "record-space": ("tasks", "written"),
    "train": ("held_out", "written"),
    "explain": ("schedules",),
    "reproduce": ("written",),
}

_SPENT = tuple(
    f"{part}_seconds"
    for part in (
        "decide",
        "first_measurement",
        "planning",
        "search",
        "search_cpu",
        "verifying",
        "measuring",
        "finalists",
        "writing",
    )
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; see README.md, Exit codes."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    open_missing_streams()
    # The --json of `compare` names a file.
    terminal = Terminal("--json" in words and words[0] != "compare", "--debug" in words)
    show_plugin_warnings(terminal)
    try:
        return terminal.close(_outcome(words, terminal))
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            terminal.progress(f"harl-mlir: error: stdout cannot be written ({error.strerror}); redirect it")
        discard(sys.stdout)
        return REFUSED


def _outcome(words: Sequence[str], terminal: Terminal) -> Outcome:
    command = None
    try:
        _heed_interrupts()
        options = parse(words)
        command = options.command
        return _COMMANDS[command](options, terminal)
    except UsageError as error:
        return _failed(error, USAGE, command)
    except HarlError as error:
        return _failed(error, REFUSED, command)
    except KeyboardInterrupt:
        terminal.progress("harl-mlir: interrupted")
        return Outcome("interrupted", _nothing(command), exit_code=INTERRUPTED)
    except BrokenPipeError:
        raise
    except ImportError as error:
        missing = HarlError(f"{error}; `harl-mlir doctor` says what is missing and its remedy")
        missing.__cause__ = error
        return _failed(missing, REFUSED, command)
    except Exception as error:
        last = (str(error).strip().splitlines() or [""])[-1]
        what = f"internal error ({type(error).__name__}: {last})"
        internal = HarlError(f"{what}; run it again with --debug and report it")
        internal.__cause__ = error
        return _failed(internal, REFUSED, command)


def _failed(error: HarlError, exit_code: int, command: str | None) -> Outcome:
    return Outcome("error", _nothing(command), error, exit_code)


def _nothing(command: str | None) -> dict[str, Any]:
    """The fields of a subcommand that came to nothing, so that programs find them in every object."""
    fields = {name: list[Any]() for name in _LISTS.get(command or "", ())}
    if command == "tune":
        return {"wall_seconds": round(seconds_since_start(), 3), **dict.fromkeys(_SPENT), **fields}
    return {"peak_gflops": None, **fields} if command in ("time", "doctor") else fields


def _heed_interrupts() -> None:
    """Make signals that ask us to end a KeyboardInterrupt, which keeps the best so far."""
    # SIGINT too: a shell starts background jobs with it ignored, and an interrupt sent to us is meant.
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signals.append(signal.SIGHUP)
    for number in signals:
        signal.signal(number, interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
