"""Dimensions of a task's result, cut into equal parts.

A part is a task of its own, with the part's sizes, and each sketch schedules it as any other: packed panels,
copied blocks and other buffers are each part's own. The decision `shared` says which dimensions are cut into
how many parts: `d0/4`, or `d0/2,d1/3`; `no` leaves the task as it is. Which cuts are offered, and for what,
is in `threads` and `padded_parts` beside this; the script in `harl_mlir.schedule.sketches.threads`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value, number
from harl_mlir.space.loop_nests import Columns, Nests, NestsOf, inside_of
from harl_mlir.space.space import Space
from harl_mlir.tasks.chain import chain_of_task
from harl_mlir.tasks.part import part_of
from harl_mlir.tasks.task import Task, element_bytes

SHARED = "shared"
ALONE = "no"
SpacesOf = Callable[[Task, int], tuple[Space, ...]]
"""The spaces of a part, and of how many it is one."""

_LINE_BYTES = 64
_MEANING = (
    "parts of the result that threads share, or one thread pads one by one (d0/4: the first dimension in 4)"
)


def cuts_of(candidate: Candidate) -> dict[int, int]:
    """Into how many parts each dimension is cut that threads share; empty where one thread does it all."""
    return cuts_in(candidate.assignment.get(SHARED, ALONE))


def without_sharing(candidate: Candidate) -> Candidate:
    """The candidate for one of the parts."""
    values = tuple((name, value) for name, value in candidate.values if name != SHARED)
    return Candidate(candidate.sketch, candidate.version, values)


def shared_as(space: Space, shared: Value) -> Space:
    """The space of a part with one more decision, of one value: the way to share that makes such parts."""

    def legal(values: Mapping[str, Value]) -> bool:
        return space.constraint({name: value for name, value in values.items() if name != SHARED})

    return Space(space.sketch, space.version, (*space.decisions, _decision((shared,), shared)), legal)


def shared_space(parts: Parts, sketch: str, words: tuple[str, ...], preferred: Sequence[str]) -> Space | None:
    """The space of a sketch, its default the first of the preferred ways to share that the sketch allows."""

    def legal(values: Mapping[str, Value]) -> bool:
        own = dict(values)
        shared = own.pop(SHARED)
        if own.get("flatten") == "yes" and not parts.leads(shared):
            return False
        if own.get("along") == "across" and parts.is_one_tile(shared, own):
            return False
        found = parts.spaces(shared).get(sketch)
        if found is None or {d.name for d in found.decisions} != own.keys():
            return False
        return all(d.accepts(own[d.name]) for d in found.decisions) and found.constraint(own)

    def default(space: Space, word: str) -> dict[str, Value]:
        return {**{d.name: d.default for d in space.decisions}, SHARED: word}

    offered = ((parts.spaces(word).get(sketch), word) for word in preferred)
    chosen = next(((space, word) for space, word in offered if space and legal(default(space, word))), None)
    if chosen is None:
        return None
    space, word = chosen
    whole = parts.spaces(ALONE).get(space.sketch)
    nests = None if whole is None or whole.nests is None else parts.nests(whole.nests)
    return Space(space.sketch, space.version, (*space.decisions, _decision(words, word)), legal, nests)


def _decision(words: tuple[Value, ...], default: Value) -> Decision:
    return Decision(SHARED, words, default, ordered=False, meaning=_MEANING)


@dataclass(frozen=True)
class Parts:
    """The parts that a task may be cut into."""

    spaces_of: SpacesOf
    task: Task
    _spaces: dict[Value, dict[str, Space]] = field(default_factory=dict)

    def spaces(self, shared: Value) -> dict[str, Space]:
        """Those of a part, by sketch."""
        if shared not in self._spaces:
            cuts = cuts_in(shared)
            part = part_of(self.task, cuts) if cuts else self.task
            found = () if part is None else self.spaces_of(part, math.prod(cuts.values()))
            self._spaces[shared] = {space.sketch: space for space in found}
        return self._spaces[shared]

    def leads(self, shared: Value) -> bool:
        """Whether parts are contiguous: nothing is cut but the first dimension of several elements."""
        cuts = cuts_in(shared)
        first = next((d for d, size in enumerate(self.shape) if size > 1), 0)
        return not cuts or set(cuts) == {first}

    def is_one_tile(self, shared: Value, own: Mapping[str, Value]) -> bool:
        """Whether a part is one register tile.

        Where that is transposed, nothing is left of the loops by which MLIR would know its place in the
        result, and it is computed beside that.
        """
        cuts = cuts_in(shared)
        part = math.prod(size // cuts.get(d, 1) for d, size in enumerate(self.shape))
        return bool(cuts) and part <= number(own["rows"]) * number(own["vector"])

    def nests(self, whole: NestsOf) -> NestsOf:
        """Loop nests with the loops over parts around them."""
        loops = self._anchor_loops

        def of(columns: Columns) -> Nests:
            shared = columns[SHARED]
            dims = sorted({d for word in set(shared.tolist()) for d in cuts_in(str(word)) if d in loops})
            steps = {
                loops[d]: [self.shape[d] // cuts_in(str(word)).get(d, 1) for word in shared] for d in dims
            }
            return inside_of(whole(columns), steps)

        return of

    @property
    def _anchor_loops(self) -> dict[int, int]:
        """The anchor's loop that steps through each dimension of the result, where one does."""
        chain, root = chain_of_task(self.task), self.task.root.op
        if chain is None:
            return dict(enumerate(self.task.anchor_op.result_loops))
        of_anchor = chain.loops[self.task.anchor]
        return {d: of_anchor[loop] for d, loop in enumerate(root.result_loops) if loop in of_anchor}

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the result, which is cut."""
        return self.task.root.op.init.shape

    @cached_property
    def innermost(self) -> int:
        """The dimension along which elements lie together."""
        return max((d for d, size in enumerate(self.shape) if size > 1), default=0)

    def divisors(self, dimension: int, lines: bool) -> list[int]:
        """Into how many parts a dimension may be cut; with `lines` those along vectors are of whole lines.

        They are of a line's elements or more in any case.
        """
        size, line = self.shape[dimension], 1
        if dimension == self.innermost:
            line = max(1, _LINE_BYTES // element_bytes(self.task.root.op.init.element))
        divisors = [n for n in range(2, size // line + 1) if size % n == 0]
        return [n for n in divisors if size // n % line == 0] if lines else divisors


def cuts_in(shared: Value) -> dict[int, int]:
    """Into how many parts a value of the decision `shared` cuts each dimension."""
    if shared == ALONE:
        return {}
    pairs = (word.removeprefix("d").split("/") for word in str(shared).split(","))
    return {int(dimension): int(parts) for dimension, parts in pairs}


def word_of(cuts: Mapping[int, int]) -> str:
    """The value of the decision `shared` that cuts so."""
    return ",".join(f"d{dimension}/{parts}" for dimension, parts in sorted(cuts.items()))
