"""Decisions of a task's parts, each scheduled by a sketch of its own, in the candidate of the whole.

The names of a part's decisions have a prefix in front; one of them is the sketch with its version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value

TimesOf = Callable[[Mapping[str, Value]], int | None]
"""How often each element of an operand is computed, by decisions; None where these do not allow it."""
LEFT = "none"
"""The sketch of a part that no sketch schedules: its ops stay the loops that they are."""
_SKETCH = "sketch"


def part_candidate(candidate: Candidate, prefix: str) -> Candidate | None:
    """A part's candidate in that of the whole; None where the part stays the loops that it is."""
    values = {name.removeprefix(prefix): v for name, v in candidate.values if name.startswith(prefix)}
    sketch = str(values.pop(_SKETCH))
    if sketch == LEFT:
        return None
    name, version = sketch.rsplit(maxsplit=1)
    return Candidate(name, int(version), tuple(values.items()))


def sketch_decision(prefix: str, name: str, version: int, meaning: str) -> Decision:
    """By which sketch a part is scheduled; `name` may be LEFT."""
    word = name if name == LEFT else f"{name} {version}"
    return Decision(prefix + _SKETCH, (word,), word, ordered=False, meaning=meaning)


def prefixed(prefix: str, decisions: Iterable[Decision], about: str) -> list[Decision]:
    """A part's decisions as those of the whole; `about` stands in front of what they mean."""
    return [replace(d, name=prefix + d.name, meaning=f"{about}: {d.meaning}") for d in decisions]
