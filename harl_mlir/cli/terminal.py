"""What goes to stdout and what to stderr."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TextIO

from harl_mlir.cli.numbers import first_line
from harl_mlir.errors import HarlError, Place
from harl_mlir.tasks.analysis import Skipped

JSON_SCHEMA = 1
DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""


@dataclass(frozen=True)
class Outcome:
    """How a subcommand ended.

    Attributes:
        fields: what the subcommand adds to the JSON object; unknown numbers are None.
        error: one sentence with its place, if status is `error`.
    """

    status: Literal["ok", "error", "interrupted"] = "ok"
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: HarlError | None = None
    exit_code: int = DONE


class Terminal:
    """The user's terminal, or the program that reads our output.

    Results go to stdout and progress to stderr; with `json` everything for people goes to stderr and
    stdout gets exactly one object. An error is one line; its details and traceback need `debug`.
    """

    def __init__(self, as_json: bool, debug: bool) -> None:
        self.as_json = as_json
        self.debug = debug

    def result(self, line: str = "") -> None:
        """A line of the result."""
        if self.as_json:
            say(line)
        else:
            print(line)

    def progress(self, line: str) -> None:
        """A line about what is going on."""
        say(line)

    def close(self, outcome: Outcome) -> int:
        """Show the error, print the JSON object if asked for, and give the exit code."""
        if outcome.error is not None:
            if self.debug:
                say("".join(traceback.format_exception(outcome.error)).rstrip())
            self.progress(f"harl-mlir: error: {sentence(outcome.error)}")
        if self.as_json:
            print(json.dumps(self._object(outcome), allow_nan=False), flush=True)
        sys.stdout.flush()
        return outcome.exit_code

    def _object(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "schema": JSON_SCHEMA,
            "status": outcome.status,
            "error": error_object(outcome.error),
            **outcome.fields,
        }


def say(line: str) -> None:
    """A line on stderr. That nobody can be told is no reason to stop, unless the reader has left."""
    try:
        print(line, file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Send what is still to come of a stream that cannot be written nowhere.

    Else the interpreter tries again at exit, and ends with an exit code of its own.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def open_missing_streams() -> None:
    """Give the process the standard streams it was started without, lest another file take their place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


def error_object(error: HarlError | None) -> dict[str, str | None] | None:
    """The JSON form of an error."""
    if error is None:
        return None
    return {"place": place_text(error.place), "message": first_line(error.message)}


def sentence(error: HarlError) -> str:
    """The error in one line, its place first."""
    return first_line(str(error))


def place_text(place: Place | None) -> str | None:
    """`kernel.mlir:12:8`, or None."""
    return None if place is None else str(place)


def skipped_objects(skipped: tuple[Skipped, ...]) -> list[dict[str, str]]:
    """The JSON form of ops that were left alone."""
    return [{"op": s.op, "place": s.place, "reason": s.reason} for s in skipped]
