"""A worker for one call, and errors in the words of a call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.errors import HarlError
from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.pool import Pool
from harl_mlir.settings import check_accuracy

_FILE_OPTION = re.compile(r" with --db\b")
_OPTION = re.compile(
    r"--(accuracy|agent|function|runner|seconds|seed|shape|threads|trials|weights)\b( \d(?!=))?"
)
"""The options that arguments of calls are named after."""


@contextmanager
def worker(accuracy: Accuracy = DEFAULT_ACCURACY, threads: int = 1) -> Iterator[Pool]:
    """A worker process that ends with the call, for kernels on so many threads.

    Raises:
        UsageError: there is no such accuracy.
        HarlError: instead of a WorkerError, and in the words of `calling`.
    """
    with calling():
        check_accuracy(accuracy)
    with calling(), Pool(accuracy=accuracy, threads=threads) as pool:
        try:
            yield pool
        except WorkerError as error:
            last = (str(error).strip().splitlines() or ["no message"])[-1]
            raise HarlError(f"internal error in the worker process ({last}); please report it") from error


@contextmanager
def calling() -> Iterator[None]:
    """Raise what is raised inside in the words of a call: `threads=1` where it says `--threads 1`."""
    try:
        yield
    except HarlError as error:
        message = _OPTION.sub(_argument, _FILE_OPTION.sub("", error.message))
        if message == error.message:
            raise
        raise type(error)(message, error.place) from error


def _argument(option: re.Match[str]) -> str:
    return f"{option[1]}={option[2].strip()}" if option[2] else option[1]
