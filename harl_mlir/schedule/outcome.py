"""What became of the linalg ops of a program when a transform script was applied to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harl_mlir.errors import Place
from harl_mlir.frontend.program import BORDER, place_of
from harl_mlir.mlir import ir
from harl_mlir.schedule import remarks
from harl_mlir.schedule.interpret import Run

_NO_LINALG_OPS = frozenset({"linalg.index", "linalg.yield"})


@dataclass(frozen=True)
class Outcome:
    """What became of one linalg op.

    Attributes:
        op, place: what it was, and where in the source.
        key: the workload key of the schedule that was applied to it or failed on it, or None.
        status: `scheduled`, as the root of a task or as another member of it; `restored`: its schedule
            failed, so it is as it was; `left`: no schedule matched; `removed`: it was unused.
        message: the same for people.
    """

    op: str
    place: Place
    key: str | None
    status: Literal["scheduled", "restored", "left", "removed"]
    message: str

    @property
    def matched(self) -> bool:
        """Whether a schedule was applied to it."""
        return self.status == "scheduled"


@dataclass(frozen=True)
class Seen:
    """An op as it was before: `producers` and `function` are numbers of other ops seen.

    `is_border`: it fills what lies around something padded, which nobody wrote as an op.
    """

    name: str
    types: str
    place: Place
    producers: tuple[int, ...]
    function: int | None
    is_border: bool

    @property
    def is_linalg(self) -> bool:
        """Whether it is an op of linalg itself, not one that stands in a linalg op's body."""
        return self.name.startswith("linalg.") and self.name not in _NO_LINALG_OPS and not self.is_border


def look_at(ops: Sequence[ir.Operation], file: str) -> list[Seen]:
    """The ops of a program in program order, an op before what it holds; `file` is its name in places."""
    numbers = {op: i for i, op in enumerate(ops)}
    seen: list[Seen] = []
    function: int | None = None
    for number, op in enumerate(ops):
        if op.name == "func.func":
            function = number
        owners = [value.owner for value in op.operands]
        made = [owner.operation for owner in owners if not isinstance(owner, ir.Block)]
        producers = tuple(numbers[owner] for owner in made if owner in numbers)
        place, is_border = place_of(op.location, file), BORDER in op.attributes
        seen.append(Seen(op.name, _types(op), place, producers, function, is_border))
    return seen


def outcomes(seen: Sequence[Seen], run: Run, reasons: Mapping[str, str]) -> list[Outcome]:
    """What a library did to each linalg op; `reasons` say why the schedules of some keys failed."""
    scheduled, restored = _told(seen, run)
    unchanged = _unchanged(seen, run)
    members = _members(seen, scheduled, unchanged)
    found: list[Outcome] = []
    for number, op in enumerate(seen):
        if not op.is_linalg:
            continue
        if number in scheduled:
            key = scheduled[number]
            found.append(Outcome(op.name, op.place, key, "scheduled", f"scheduled by @schedule_{key}"))
        elif number in members:
            key = members[number]
            found.append(Outcome(op.name, op.place, key, "scheduled", f"part of @schedule_{key}"))
        elif number in restored:
            key = restored[number]
            why = f"@schedule_{key} failed and was undone: {reasons.get(key, 'no reason is known')}"
            found.append(Outcome(op.name, op.place, key, "restored", why))
        elif number in unchanged:
            found.append(Outcome(op.name, op.place, None, "left", "no schedule matched"))
        else:
            found.append(Outcome(op.name, op.place, None, "removed", "its result is unused"))
    return found


def failed_keys(seen: Sequence[Seen], run: Run) -> list[str]:
    """The workload keys whose schedules failed."""
    return list(dict.fromkeys(_told(seen, run)[1].values()))


def outcomes_of_script(seen: Sequence[Seen], run: Run) -> list[Outcome]:
    """What a script that says nothing of itself did to each linalg op."""
    unchanged = _unchanged(seen, run)
    return [
        Outcome(op.name, op.place, None, "left", "not changed by the script")
        if number in unchanged
        else Outcome(op.name, op.place, None, "scheduled", "changed by the script")
        for number, op in enumerate(seen)
        if op.is_linalg
    ]


def _told(seen: Sequence[Seen], run: Run) -> tuple[dict[int, str], dict[int, str]]:
    """Keys by op: of the roots that were scheduled, and of those whose schedule was undone."""
    # A short-hand op (linalg.transpose) shares its location with what it holds: the op comes first.
    numbers: dict[str, int] = {}
    for number, location in enumerate(run.before):
        numbers.setdefault(location, number)
    scheduled: dict[int, str] = {}
    restored: dict[int, str] = {}
    for remark in run.remarks:
        told = numbers.get(remark.location)
        if told is None:
            continue
        key = remarks.key_matched(remark.message)
        if key is not None:
            scheduled[told] = key
        undone = remarks.key_restored(remark.message)
        if undone is not None:
            inside = [i for i, k in scheduled.items() if k == undone and seen[i].function == told]
            restored |= {i: scheduled.pop(i) for i in inside}
    return scheduled, restored


def _members(seen: Sequence[Seen], scheduled: Mapping[int, str], unchanged: set[int]) -> dict[int, str]:
    """Keys of the other members of scheduled tasks: what led to a root and is gone.

    A fill may stay: that of a sum of everything fills a single number.
    """
    members: dict[int, str] = {}
    wanted = {p for i in unchanged for p in seen[i].producers}
    stays = {i for i in unchanged if seen[i].name != "linalg.fill" or i in wanted}
    for root, key in scheduled.items():
        pending = list(seen[root].producers)
        while pending:
            number = pending.pop()
            known = number in members or number in scheduled or number in stays
            if known or not seen[number].is_linalg:
                continue
            members[number] = key
            pending += seen[number].producers
    return members


def _unchanged(seen: Sequence[Seen], run: Run) -> set[int]:
    """Linalg ops that are still there as they were."""
    left = [op for op in run.after if op.name.startswith("linalg.")]
    there = {(str(op.location), op.name, _types(op)) for op in left}
    return {
        number
        for number, (op, location) in enumerate(zip(seen, run.before, strict=True))
        if op.is_linalg and (location, op.name, op.types) in there
    }


def _types(op: ir.Operation) -> str:
    """Operand types, which are only of interest in linalg ops."""
    if not op.name.startswith("linalg."):
        return ""
    return ", ".join(str(value.type) for value in op.operands)
