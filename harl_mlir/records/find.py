"""The record that a user names: by its number, or by the workload key of its task."""

from __future__ import annotations

import re

from harl_mlir.errors import InputError, Place
from harl_mlir.records.database import Database
from harl_mlir.records.record import UNTUNED, Environment, Record

_NUMBER = re.compile(r"[0-9]{1,15}")
_KEY = re.compile(r"[0-9a-f]{4,16}")
_SQLITE_MOST = 2**63 - 1
FORMS = "a record's number, or the first digits (four or more) of a workload key, as `tune` prints them"


def names_record(word: str) -> bool:
    """Whether a word has the form of a record's name, be there such a record or not."""
    return bool(_NUMBER.fullmatch(word) or _KEY.fullmatch(word))


def find_record(database: Database, word: str, here: Environment) -> Record:
    """The record that `word` names.

    Digits alone are a record's number. Else they are the beginning of a workload key, which stands for the
    best record of the task in the environment `here`: of those timed in turns, else of the trials.

    Raises:
        InputError: there is none, or several tasks begin so.
        DatabaseError: the database cannot be read.
    """
    place = Place(str(database.path))
    if _NUMBER.fullmatch(word):
        record = database.record(int(word)) if int(word) <= _SQLITE_MOST else None
        if record is None:
            raise InputError(f"there is no record number {word}; give {FORMS}", place)
        return record
    if not _KEY.fullmatch(word):
        raise InputError(f"{word!r} names no record; give {FORMS}", place)
    keys = database.keys(word)
    if not keys:
        raise InputError(f"no record is of a workload key that begins with {word}; give {FORMS}", place)
    if len(keys) > 1:
        raise InputError(
            f"several workload keys begin with {word} ({', '.join(keys)}); give more digits", place
        )
    record = best_record(database.records(keys[0], here))
    if record is None:
        raise InputError(
            f"no candidate for {keys[0]} has a time from this processor and these versions; name a record by "
            "its number, or tune the kernel here",
            place,
        )
    return record


def best_record(records: list[Record]) -> Record | None:
    """The fastest of those timed in turns the last time, else of the trials; None if nothing has a time."""
    timed = [r for r in records if r.stage != "untuned" and r.measurement.ok and r.candidate != UNTUNED]
    finals = [r for r in timed if r.stage == "final"]
    # Records of one round of finalists are written together, with one time of day.
    last = [r for r in finals if r.time == finals[-1].time]
    return min(last or timed, key=lambda r: r.measurement.seconds or 0.0, default=None)
