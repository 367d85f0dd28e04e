"""One schedule library of two."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from harl_mlir.errors import InputError, Place
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ir
from harl_mlir.schedule.facts import facts_of, read_library
from harl_mlir.schedule.interpret import ENTRY
from harl_mlir.schedule.library import note_matched_as, what_matches, write_main

_NAME = re.compile(r"(schedule|find|apply|match)_([0-9a-f]+)(?:_\d+)?")
_NO_MEMBERS = frozenset({"linalg.yield", "linalg.index"})


def merge_libraries(first: str, first_file: str, second: str, second_file: str) -> str:
    """The text of a library with the schedules of both, in the current context.

    Where both have one for the same task it is the second's.

    Raises:
        InputError: one is no schedule library, or they were not tuned alike.
    """
    merged, added = read_library(first, first_file), read_library(second, second_file)
    ours, theirs = facts_of(merged).provenance, facts_of(added).provenance
    for what in ("processor", "features", "threads", "accuracy"):
        if getattr(ours, what) != getattr(theirs, what):
            raise InputError(
                f"its {what} is not that of {first_file} ({_shown(getattr(theirs, what))}, not "
                f"{_shown(getattr(ours, what))}); merge libraries that were tuned alike",
                Place(second_file),
            )
    replaced = {schedule.key for schedule in facts_of(added).schedules}
    for op in _ops(merged):
        if _symbol(op) == ENTRY or _part(op)[1] in replaced:
            op.erase()
    held = {_symbol(op) for op in _ops(merged)}
    with ir.InsertionPoint(merged.body):
        for op in _ops(added):
            if _symbol(op) not in (ENTRY, *held):
                op.clone()
    with ir.Location.unknown():
        write_main(merged, _applied(merged))
    merged.operation.verify()
    return str(merged)


def _applied(module: ir.Module) -> list[str]:
    """The keys to apply, tasks of more ops first; of tasks that a script cannot tell apart, the first."""
    parts: defaultdict[str, defaultdict[str, list[ir.Operation]]] = defaultdict(lambda: defaultdict(list))
    for op in _ops(module):
        what, key = _part(op)
        parts[key][what].append(op)
    whole = {key: held for key, held in parts.items() if all(held[w] for w in ("schedule", "apply", "match"))}
    members = {key: _members(held["match"][0]) for key, held in whole.items()}
    known: dict[frozenset[str], str] = {}
    for key in sorted(members, key=lambda key: -members[key]):
        held = parts[key]
        first = known.setdefault(what_matches(key, held["match"]), key)
        if first != key:
            note_matched_as(held["schedule"][0], first)
            for op in (*held["apply"], *held["find"], *held["match"]):
                op.erase()
    return list(known.values())


def _members(match: ir.Operation) -> int:
    """How many linalg ops a `@match_KEY_N` looks at."""
    names = [str(op.attributes["ops"][0]) for op in all_ops(match) if "ops" in op.attributes]
    return sum(n.strip('"').startswith("linalg.") and n.strip('"') not in _NO_MEMBERS for n in names)


def _ops(module: ir.Module) -> list[ir.Operation]:
    return [view.operation for view in module.body.operations]


def _symbol(op: ir.Operation) -> str:
    name = op.attributes.get("sym_name")
    return name.value if isinstance(name, ir.StringAttr) else ""


def _part(op: ir.Operation) -> tuple[str, str]:
    """What a sequence does, and the key of the entry that it belongs to; "" and "" for any other op."""
    found = _NAME.fullmatch(_symbol(op))
    return (found[1], found[2]) if found else ("", "")


def _shown(value: object) -> str:
    return " ".join(value) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
