"""What threads share of a task: dimensions of its result, cut into equal parts.

A part is a task of its own, with the part's sizes, and each sketch schedules it as any other; so every sketch
can share, and packed panels, copied blocks and other buffers are each part's own. The decision `shared` says
which dimensions are cut into how many parts: `d0/4`, or `d0/2,d1/3`; `no` leaves the task to one thread.
See `harl_mlir.schedule.sketches.threads` for the script.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value, number
from harl_mlir.space.loop_nests import Columns, Nests, NestsOf, inside_of
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import contraction_of
from harl_mlir.tasks.part import pads_parts, part_of, repeated
from harl_mlir.tasks.producers import paddings_of
from harl_mlir.tasks.task import Task, element_bytes

SHARED = "shared"
ALONE = "no"
SpacesOf = Callable[[Task, int], tuple[Space, ...]]
"""The spaces of a part, and of how many it is one."""

_MOST_PARTS_A_THREAD = 8
_MOST_PAIRS = 4
_LEAST_ROWS = 6
_LEAST_BUSY = 0.75
_MOST_REPEATED = 1.2
_LINE_BYTES = 64
# Of one thread, roughly, and how long work must take so that waking another is worth it.
_FLOPS_A_NANOSECOND = 64
_BYTES_A_NANOSECOND = 32
_WORTH_WAKING_NANOSECONDS = 20_000
# Of a thread's work: so many parts, of which another takes what it has not begun, that each takes so long.
_PARTS_A_THREAD = 4
_WORTH_TAKING_NANOSECONDS = 5_000
_STEPS_OF_BYTES = 5
"""Of parts that differ by less than such a step of a power of two in what they read, the first will do."""
_MEANING = (
    "parts of the result that threads share, or one thread pads one by one (d0/4: the first dimension in 4)"
)


def cuts_of(candidate: Candidate) -> dict[int, int]:
    """Into how many parts each dimension is cut that threads share; empty where one thread does it all."""
    return _cuts(candidate.assignment.get(SHARED, ALONE))


def without_sharing(candidate: Candidate) -> Candidate:
    """The candidate for one of the parts."""
    values = tuple((name, value) for name, value in candidate.values if name != SHARED)
    return Candidate(candidate.sketch, candidate.version, values)


def shared_as(space: Space, shared: Value) -> Space:
    """The space of a part with one more decision, of one value: the way to share that makes such parts."""

    def legal(values: Mapping[str, Value]) -> bool:
        return space.constraint({name: value for name, value in values.items() if name != SHARED})

    return Space(space.sketch, space.version, (*space.decisions, _decision((shared,), shared)), legal)


def shared_spaces(spaces_of: SpacesOf, task: Task, threads: int, room: float = math.inf) -> tuple[Space, ...]:
    """The spaces of a task of which `threads` may share the work, given those of any task.

    One thread does parts one after the other, where each pads what it reads: by default no more parts
    than are needed for what is padded at a time to have no more than `room` bytes. Each space has the
    decisions of the default's part; of another part's what that allows.
    """
    parts = _Parts(spaces_of, task)
    words = parts.padded_words() if threads == 1 else parts.words(threads)
    if len(words) == 1:
        return spaces_of(task, 1)
    preferred = parts.in_room(words, room) if threads == 1 else parts.preferred(words, threads)
    names = [name for word in preferred[:1] for name in parts.spaces(word)]
    found = (_shared(parts, name, words, preferred) for name in names)
    return tuple(space for space in found if space)


def _shared(parts: _Parts, sketch: str, words: tuple[str, ...], preferred: list[str]) -> Space | None:
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
class _Parts:
    """The parts that a task may be cut into."""

    spaces_of: SpacesOf
    task: Task
    _spaces: dict[Value, dict[str, Space]] = field(default_factory=dict)

    def spaces(self, shared: Value) -> dict[str, Space]:
        """Those of a part, by sketch."""
        if shared not in self._spaces:
            cuts = _cuts(shared)
            part = part_of(self.task, cuts) if cuts else self.task
            found = () if part is None else self.spaces_of(part, math.prod(cuts.values()))
            self._spaces[shared] = {space.sketch: space for space in found}
        return self._spaces[shared]

    def words(self, threads: int) -> tuple[str, ...]:
        """All ways to share: one dimension, or two where none by itself keeps all threads busy.

        Only where there is no other are parts not of whole cache lines, which neighbours then both write.
        """
        for lines in (True, False):
            single = [{d: n} for d in range(len(self._shape)) for n in self._counts(d, threads, lines)]
            found = [cuts for cuts in single if _busy(cuts, threads) >= _LEAST_BUSY]
            if not any(_busy(cuts, threads) == 1 for cuts in found):
                pairs = [{**a, **b} for a in single for b in single if min(a) < min(b)]
                pairs.sort(key=lambda cuts: (-_busy(cuts, threads), math.prod(cuts.values())))
                found += [cuts for cuts in pairs if _busy(cuts, threads) >= _LEAST_BUSY][:_MOST_PAIRS]
            words = [_word(cuts) for cuts in found if self._is_worth(cuts)]
            if words:
                break
        return (ALONE, *words)

    def padded_words(self) -> tuple[str, ...]:
        """The ways to pad a part of an operand at a time, which then is in a cache.

        None where C starts as an argument: its tiles would be copied to where they belong.
        """
        if self.task.members[self.task.anchor].sources[-1].kind == "argument":
            return (ALONE,)
        loops, pads = self.task.anchor_op.result_loops, paddings_of(self.task)
        cut = [d for d in range(len(self._shape)) if any(pads_parts(self.task, p, (d,)) for p in pads)]
        return (
            ALONE,
            *(_word({d: n}) for d in cut if d < len(loops) for n in self._counts(d, self._shape[d], True)),
        )

    def in_room(self, words: tuple[str, ...], room: float) -> list[str]:
        """The ways to pad, the first one that of fewest parts of which none pads more than `room` bytes."""

        def cost(word: str) -> tuple[bool, int]:
            parts = math.prod(_cuts(word).values())
            return self._padded_bytes > room * parts, parts

        return sorted(words, key=cost)

    @cached_property
    def _padded_bytes(self) -> int:
        made = (self.task.members[pad.members[-1]].op.init for pad in paddings_of(self.task))
        return max((math.prod(each.shape) * element_bytes(each.element) for each in made), default=0)

    def preferred(self, words: tuple[str, ...], threads: int) -> list[str]:
        """The ways to share, the one to try first before the others.

        As many parts as wanted, of the dimension by which parts read least; one thread for small work.
        """
        if self._nanoseconds < _WORTH_WAKING_NANOSECONDS:
            return [ALONE]
        first = next(iter(self.spaces(ALONE)), None)
        offered = [word for word in words[1:] if first in self.spaces(word)]
        return [*sorted(offered, key=lambda word: self._cost(word, threads)), ALONE]

    def _wanted(self, threads: int) -> int:
        """How many parts there should be: several a thread, of which one that wakes late does fewer.

        One a thread of a contraction, of which each part packs panels of its own.
        """
        if contraction_of(self.task.anchor_op) is not None:
            return threads
        a_thread = int(self._nanoseconds / threads / _WORTH_TAKING_NANOSECONDS)
        return threads * max(1, min(_PARTS_A_THREAD, a_thread))

    def leads(self, shared: Value) -> bool:
        """Whether parts are contiguous: nothing is cut but the first dimension of several elements."""
        cuts = _cuts(shared)
        first = next((d for d, size in enumerate(self._shape) if size > 1), 0)
        return not cuts or set(cuts) == {first}

    def is_one_tile(self, shared: Value, own: Mapping[str, Value]) -> bool:
        """Whether a part is one register tile.

        Where that is transposed, nothing is left of the loops by which MLIR would know its place in the
        result, and it is computed beside that.
        """
        cuts = _cuts(shared)
        part = math.prod(size // cuts.get(d, 1) for d, size in enumerate(self._shape))
        return bool(cuts) and part <= number(own["rows"]) * number(own["vector"])

    def nests(self, whole: NestsOf) -> NestsOf:
        """Loop nests with the loops over parts around them."""
        loops = self.task.anchor_op.result_loops

        def of(columns: Columns) -> Nests:
            shared = columns[SHARED]
            dims = sorted({d for word in set(shared.tolist()) for d in _cuts(str(word))})
            steps = {
                loops[d]: [self._shape[d] // _cuts(str(word)).get(d, 1) for word in shared] for d in dims
            }
            return inside_of(whole(columns), steps)

        return of

    @property
    def _shape(self) -> tuple[int, ...]:
        return self.task.root.op.init.shape

    @cached_property
    def _innermost(self) -> int:
        """The dimension along which elements lie together."""
        return max((d for d, size in enumerate(self._shape) if size > 1), default=0)

    @cached_property
    def _nanoseconds(self) -> float:
        """What a call takes one thread, about."""
        return self.task.flops / _FLOPS_A_NANOSECOND + self.task.bytes / _BYTES_A_NANOSECOND

    def _counts(self, dimension: int, threads: int, lines: bool) -> list[int]:
        """Into how many parts a dimension may be cut; with `lines` those along vectors are of whole lines.

        Few parts a thread, but where the size has no other divisor: the next will do.
        """
        size, line = self._shape[dimension], 1
        if dimension == self._innermost:
            line = max(1, _LINE_BYTES // element_bytes(self.task.root.op.init.element))
        divisors = [n for n in range(2, size // line + 1) if size % n == 0]
        if lines:
            divisors = [n for n in divisors if size // n % line == 0]
        found = [n for n in divisors if n <= _MOST_PARTS_A_THREAD * threads] or divisors[:1]
        return [n for i, n in enumerate(found) if i == 0 or n % threads == 0 or n < threads]

    def _is_worth(self, cuts: Mapping[int, int]) -> bool:
        """Whether parts can be computed by themselves, with little that several of them compute.

        Those of a contraction have enough rows for a register tile.
        """
        part = part_of(self.task, cuts)
        if part is None or repeated(self.task, part, math.prod(cuts.values())) > _MOST_REPEATED:
            return False
        if contraction_of(self.task.anchor_op) is None:
            return True
        rows, whole = (
            math.prod(t.root.op.init.shape) // t.root.op.init.shape[self._innermost]
            for t in (part, self.task)
        )
        return rows >= min(_LEAST_ROWS, whole)

    def _cost(self, shared: str, threads: int) -> tuple[float, float, int]:
        """How good a way to share looks: idle threads, how far from the parts wanted, what a part moves."""
        cuts = _cuts(shared)
        part = part_of(self.task, cuts)
        assert part is not None
        return (
            -_busy(cuts, threads),
            abs(math.log2(math.prod(cuts.values()) / self._wanted(threads))),
            round(_STEPS_OF_BYTES * math.log2(_bytes(part))),
        )


def _bytes(task: Task) -> int:
    """Bytes of what comes into a task and what leaves it."""
    total = 0
    for member in task.members:
        for operand, source in zip(member.op.operands, member.sources, strict=True):
            if source.kind == "argument" or operand is task.root.op.init:
                total += math.prod(operand.shape) * element_bytes(operand.element)
    return total


def _busy(cuts: Mapping[int, int], threads: int) -> float:
    """The part of the threads' time in which they have something to do."""
    parts = math.prod(cuts.values())
    return parts / (-(-parts // threads) * threads)


def _cuts(shared: Value) -> dict[int, int]:
    if shared == ALONE:
        return {}
    pairs = (word.removeprefix("d").split("/") for word in str(shared).split(","))
    return {int(dimension): int(parts) for dimension, parts in pairs}


def _word(cuts: Mapping[int, int]) -> str:
    return ",".join(f"d{dimension}/{parts}" for dimension, parts in sorted(cuts.items()))
