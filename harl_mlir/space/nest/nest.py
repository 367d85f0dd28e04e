"""A loop nest as a value: its loops in order, how far each steps, and how the innermost are done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Mark = Literal["", "u", "v"]
"""How a loop is done: as a loop, unrolled, or as one vector."""

_LOOP = re.compile(r"(\d+)/(\d+)([uv]?)")


@dataclass(frozen=True)
class Loop:
    """A loop over dimension `dim` of the op in steps of `step`."""

    dim: int
    step: int
    mark: Mark = ""


@dataclass(frozen=True)
class LoopNest:
    """The loops around one point of an op with loop extents `dims`, outermost first.

    A loop runs over a step of the next loop outside of it that has the same dimension, or over the whole of
    the dimension. The last loop of every dimension steps by one; dimensions of one step have no loop.
    """

    dims: tuple[int, ...]
    loops: tuple[Loop, ...]

    @cached_property
    def extents(self) -> tuple[int, ...]:
        """How many elements each loop runs over, at most."""
        inside = list(self.dims)
        found = []
        for loop in self.loops:
            found.append(inside[loop.dim])
            inside[loop.dim] = loop.step
        return tuple(found)

    @cached_property
    def trips(self) -> tuple[int, ...]:
        """How many steps each loop makes, a last one cut short counted."""
        return tuple(-(-e // loop.step) for e, loop in zip(self.extents, self.loops, strict=True))

    @cached_property
    def tails(self) -> tuple[int, ...]:
        """How many elements the last step of each loop covers if it is cut short, else 0."""
        return tuple(e % loop.step for e, loop in zip(self.extents, self.loops, strict=True))

    @cached_property
    def marked(self) -> int:
        """How many loops, the innermost, are unrolled or a vector."""
        count = 0
        for loop in reversed(self.loops):
            if not loop.mark:
                break
            count += 1
        return count

    def text(self) -> str:
        """The nest as the value of a decision, which `parse` reads: `0/8 1/32 2/1 0/1u 1/1v`."""
        return " ".join(f"{loop.dim}/{loop.step}{loop.mark}" for loop in self.loops)

    def spelled(self, names: Sequence[str]) -> str:
        """The nest for people, a name for each dimension: `m/8 n/32 k m:8 unrolled n:32 vector`."""
        words = {"": "", "u": " unrolled", "v": " vector"}
        seen: set[int] = set()
        parts = []
        for loop, extent in zip(self.loops, self.extents, strict=True):
            part = names[loop.dim] + (f":{extent}" if loop.dim in seen else "")
            parts.append(part + (f"/{loop.step}" if loop.step > 1 else "") + words[loop.mark])
            seen.add(loop.dim)
        return ", ".join(parts)


def parse(dims: Sequence[int], text: str) -> LoopNest:
    """The nest that `LoopNest.text` wrote. Raises ValueError if the text is none."""
    loops = []
    for word in text.split():
        found = _LOOP.fullmatch(word)
        if found is None or int(found[1]) >= len(dims) or int(found[2]) < 1:
            raise ValueError(f"{word!r} is no loop of a nest over {len(dims)} dimensions")
        mark: Mark = "v" if found[3] == "v" else "u" if found[3] == "u" else ""
        loops.append(Loop(int(found[1]), int(found[2]), mark))
    return LoopNest(tuple(dims), tuple(loops))


def plain_nest(dims: Sequence[int]) -> LoopNest:
    """The nest of an op as it came: a loop for each dimension of more than one step, in order."""
    return LoopNest(tuple(dims), tuple(Loop(d, 1) for d, extent in enumerate(dims) if extent > 1))
