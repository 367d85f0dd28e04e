"""`harl-mlir explain`: what a schedule does, what was chosen, and what other choices cost."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from harl_mlir.cli.numbers import duration, gflops, plain, speed_up
from harl_mlir.cli.records import here, open_database, open_database_if_any, outcome_of
from harl_mlir.cli.terminal import Outcome, Terminal
from harl_mlir.errors import InputError, Place, UsageError
from harl_mlir.explain.costs import Neighbour
from harl_mlir.explain.explanation import Choice, Explanation, explain
from harl_mlir.files import read_mlir
from harl_mlir.measure.pool import Pool
from harl_mlir.records.database import Database
from harl_mlir.records.find import FORMS, find_record, names_record
from harl_mlir.records.record import UNTUNED, Record
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.entry import LibraryFacts, ScheduleFacts
from harl_mlir.tasks.task import Task

_MOST_OTHERS = 12
_MOST_LISTED = 24


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Explain every schedule of a library, or the one of a record."""
    word = str(options.what)
    if os.path.lexists(word):
        found = _of_library(options)
    elif names_record(word):
        if options.kernel is not None:
            raise UsageError("a record has the facts of its task; use --kernel with a library only")
        found = [_of_record(options, word)]
    else:
        raise InputError(f"there is no such file; name a schedule library, {FORMS}", Place(word))
    for number, explanation in enumerate(found):
        if number:
            terminal.result()
        for line in _lines(explanation):
            terminal.result(line)
    return Outcome(fields={"schedules": [_object(explanation) for explanation in found]})


def _of_record(options: Namespace, word: str) -> Explanation:
    with open_database(options.db) as database:
        record = find_record(database, word, here())
        return _explained(database, record)


def _explained(database: Database, record: Record) -> Explanation:
    records = database.records(record.task, record.environment)
    task = database.task(record.task)
    return explain(record.task, record.task, record.candidate, task, record.environment, records, record)


def _of_library(options: Namespace) -> list[Explanation]:
    file = str(options.what)
    text = read_mlir(options.what)
    kernel = None if options.kernel is None else read_mlir(options.kernel)
    with Pool() as pool, open_database_if_any(options.db) or nullcontext() as database:
        facts = pool.inspect(text, file)
        if not facts.schedules:
            raise InputError("this schedule library holds no schedule; tune a kernel to get one", Place(file))
        pool.accuracy = facts.provenance.accuracy
        tasks = () if kernel is None else pool.analyse(kernel, str(options.kernel)).tasks
        known = {task.key: task for task in tasks}
        return [_of_schedule(held, facts, known, database) for held in facts.schedules]


def _of_schedule(
    held: ScheduleFacts, facts: LibraryFacts, known: Mapping[str, Task], database: Database | None
) -> Explanation:
    about = facts.provenance
    environment = replace(
        here(about.accuracy), processor=about.processor, features=about.features, threads=about.threads
    )
    candidate = Candidate(held.sketch, held.version, held.choices or ())
    task = known.get(held.key) or (database.task(held.key) if database else None)
    records = database.records(held.key, environment) if database else []
    return explain(held.key, held.label, candidate, task, environment, records)


# For people.


def _lines(explanation: Explanation) -> list[str]:
    candidate = explanation.candidate
    sketch = "no schedule" if candidate == UNTUNED else f"sketch {candidate.sketch} {candidate.version}"
    lines = [f"{explanation.label}, {sketch}, key {explanation.key}", f"  {_measured(explanation)}"]
    lines += ["", *(f"    {line}" for line in explanation.nest)] if explanation.nest else []
    for choice in explanation.choices:
        lines += ["", *_choice_lines(choice)]
    if explanation.missing:
        lines += ["", f"  {explanation.missing}"]
    lines += ["", *(f"  {line}" for line in _others(explanation))] if explanation.others else []
    return lines


def _others(explanation: Explanation) -> list[str]:
    """The numbers of the task's records, the newest first, by kind."""
    kinds: dict[str, list[int]] = {}
    for record in explanation.others:
        kind = str(record.stage) if record.measurement.ok else "failed"
        kinds.setdefault(kind, []).append(record.number or 0)
    lines = []
    for kind, numbers in sorted(kinds.items()):
        more = f" and {len(numbers) - _MOST_OTHERS} more" if len(numbers) > _MOST_OTHERS else ""
        lines.append(f"records ({kind}): {' '.join(map(str, numbers[:_MOST_OTHERS]))}{more}")
    return lines


def _measured(explanation: Explanation) -> str:
    record = explanation.record
    if record is None:
        return "no record of it in the database"
    rate = gflops(explanation.flops, explanation.seconds)
    parts = [f"record {record.number}, {record.stage}: {outcome_of(record)}"]
    if rate is not None:
        parts.append(f"{plain(rate)} GFLOP/s")
    if record.stage != "untuned" and explanation.seconds and explanation.untuned_seconds:
        parts.append(f"{speed_up(explanation.untuned_seconds, None, explanation.seconds)} over untuned")
    return ", ".join(parts)


def _choice_lines(choice: Choice) -> list[str]:
    lines = [f"  {choice.name} = {choice.value}" + (f": {choice.meaning}" if choice.meaning else "")]
    if choice.near is not None:
        lines.append(f"      legal: {choice.near} nests one move away")
    elif choice.legal == (choice.value,):
        return [*lines, "      legal: nothing else here"]
    elif choice.legal is not None:
        lines.append(f"      legal: {' '.join(map(str, choice.legal))}")
    return [*lines, f"      other values: {_cost_text(choice)}"]


def _cost_text(choice: Choice) -> str:
    measured = choice.neighbours
    if not measured:
        return "not measured"
    shown = ", ".join(_neighbour_text(one) for one in measured[:_MOST_LISTED])
    count = f"{len(measured)} record" + ("s" if len(measured) > 1 else "")
    return f"{shown} ({count})"


def _neighbour_text(one: Neighbour) -> str:
    if one.failure is not None:
        return f"fails at {one.value} ({one.failure})"
    if one.change is None:
        return f"{duration(one.seconds)} at {one.value}"
    return f"{100 * one.change:+.3g} % at {one.value}"


# For programs.


def _object(explanation: Explanation) -> dict[str, Any]:
    record, failure = explanation.record, explanation.failure
    return {
        "key": explanation.key,
        "op": explanation.label,
        "sketch": explanation.candidate.sketch,
        "version": explanation.candidate.version,
        "record": record.number if record else None,
        "stage": record.stage if record else None,
        "seconds": explanation.seconds,
        "gflops": gflops(explanation.flops, explanation.seconds),
        "untuned_seconds": explanation.untuned_seconds,
        "failure": failure.kind if failure else None,
        "nest": [{"depth": n.depth, "text": n.text, "note": n.note} for n in explanation.nest],
        "decisions": [_choice_object(choice) for choice in explanation.choices],
        "missing": explanation.missing or None,
    }


def _choice_object(choice: Choice) -> dict[str, Any]:
    return {
        "name": choice.name,
        "value": choice.value,
        "meaning": choice.meaning or None,
        "legal": None if choice.legal is None else list(choice.legal),
        "measured": [
            {
                "value": one.value,
                "seconds": one.seconds,
                "change": one.change,
                "failure": one.failure,
                "record": one.record,
            }
            for one in choice.neighbours
        ],
    }
