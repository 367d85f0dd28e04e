"""What threads share of a task: parts of its result, cut so that all threads are busy.

See `harl_mlir.space.sketches.cuts` for what a part is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from harl_mlir.space.sketches.accumulation import roles_of
from harl_mlir.space.sketches.cuts import ALONE, Parts, SpacesOf, cuts_in, shared_space, word_of
from harl_mlir.space.sketches.outer_steps import outer_steps
from harl_mlir.space.sketches.padded_parts import in_room, padded_words
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import contraction_of
from harl_mlir.tasks.part import part_of, repeated
from harl_mlir.tasks.task import Task, element_bytes

_MOST_PARTS_A_THREAD = 8
_MOST_PAIRS = 4
_LEAST_ROWS = 6
_LEAST_BUSY = 0.75
_MOST_REPEATED = 1.2
# Of one thread, roughly, and how long work must take so that waking another is worth it.
_FLOPS_A_NANOSECOND = 64
_BYTES_A_NANOSECOND = 32
_WORTH_WAKING_NANOSECONDS = 20_000
# Of a thread's work: so many parts, of which another takes what it has not begun, that each takes so long.
_PARTS_A_THREAD = 4
_WORTH_TAKING_NANOSECONDS = 5_000
_STEPS_OF_BYTES = 5
"""Of parts that differ by less than such a step of a power of two in what they read, the first will do."""


def shared_spaces(spaces_of: SpacesOf, task: Task, threads: int, room: float = math.inf) -> tuple[Space, ...]:
    """The spaces of a task of which `threads` may share the work, given those of any task.

    One thread does parts one after the other, where each pads what it reads: by default no more parts
    than are needed for what is padded at a time to have no more than `room` bytes. Each space has the
    decisions of the default's part; of another part's what that allows.
    """
    parts = Parts(spaces_of, task)
    sharing = _Sharing(parts, threads)
    words = padded_words(parts) if threads == 1 else sharing.words()
    if len(words) == 1:
        return spaces_of(task, 1)
    preferred = in_room(parts, words, room) if threads == 1 else sharing.preferred(words)
    names = [name for word in preferred[:1] for name in parts.spaces(word)]
    found = (shared_space(parts, name, words, preferred) for name in names)
    return tuple(space for space in found if space)


@dataclass(frozen=True)
class _Sharing:
    """The ways in which threads may share a task's parts."""

    parts: Parts
    threads: int

    def words(self) -> tuple[str, ...]:
        """All ways to share: one dimension, or two where none by itself keeps all threads busy.

        Only where there is no other are parts not of whole cache lines, which neighbours then both write.
        """
        for lines in (True, False):
            single = [{d: n} for d in range(len(self.parts.shape)) for n in self._counts(d, lines)]
            found = [cuts for cuts in single if _busy(cuts, self.threads) >= _LEAST_BUSY]
            if not any(_busy(cuts, self.threads) == 1 for cuts in found):
                pairs = [{**a, **b} for a in single for b in single if min(a) < min(b)]
                pairs.sort(key=lambda cuts: (-_busy(cuts, self.threads), math.prod(cuts.values())))
                found += [cuts for cuts in pairs if _busy(cuts, self.threads) >= _LEAST_BUSY][:_MOST_PAIRS]
            words = [word_of(cuts) for cuts in found if self._is_worth(cuts)]
            if words:
                break
        return (ALONE, *words)

    def preferred(self, words: tuple[str, ...]) -> list[str]:
        """The ways to share, the one to try first before the others.

        As many parts as wanted, of the dimension by which parts read least; one thread for small work.
        """
        if self._nanoseconds < _WORTH_WAKING_NANOSECONDS:
            return [ALONE]
        first = next(iter(self.parts.spaces(ALONE)), None)
        offered = [word for word in words[1:] if first in self.parts.spaces(word)]
        return [*sorted(offered, key=self._cost), ALONE]

    def _wanted(self, cuts: Mapping[int, int]) -> int:
        """How many parts there should be: several a thread, of which one that wakes late does fewer.

        One a thread of a contraction, of which each part packs panels of its own, and where rows that are
        added up are cut, of which memory gives long pieces faster.
        """
        if contraction_of(self._task.anchor_op) is not None or cuts.keys() & self._inside_sums:
            return self.threads
        a_thread = int(self._nanoseconds / self.threads / _WORTH_TAKING_NANOSECONDS)
        return self.threads * max(1, min(_PARTS_A_THREAD, a_thread))

    @property
    def _task(self) -> Task:
        return self.parts.task

    @cached_property
    def _inside_sums(self) -> frozenset[int]:
        """The result's dimensions inside the loops of a reduction that go outside."""
        roles = roles_of(self._task)
        steps = None if roles is None else outer_steps(self._task, roles)
        return frozenset() if steps is None else frozenset(steps.inside)

    @cached_property
    def _nanoseconds(self) -> float:
        """What a call takes one thread, about."""
        return self._task.flops / _FLOPS_A_NANOSECOND + self._task.bytes / _BYTES_A_NANOSECOND

    def _counts(self, dimension: int, lines: bool) -> list[int]:
        """Into how many parts a dimension may be cut; with `lines` those along vectors are of whole lines.

        Few parts a thread, but where the size has no other divisor: the next will do.
        """
        divisors = self.parts.divisors(dimension, lines)
        found = [n for n in divisors if n <= _MOST_PARTS_A_THREAD * self.threads] or divisors[:1]
        return [n for i, n in enumerate(found) if i == 0 or n % self.threads == 0 or n < self.threads]

    def _is_worth(self, cuts: Mapping[int, int]) -> bool:
        """Whether parts can be computed by themselves, with little that several of them compute.

        Those of a contraction have enough rows for a register tile.
        """
        part = part_of(self._task, cuts)
        if part is None or repeated(self._task, part, math.prod(cuts.values())) > _MOST_REPEATED:
            return False
        if contraction_of(self._task.anchor_op) is None:
            return True
        rows, whole = (
            math.prod(t.root.op.init.shape) // t.root.op.init.shape[self.parts.innermost]
            for t in (part, self._task)
        )
        return rows >= min(_LEAST_ROWS, whole)

    def _cost(self, shared: str) -> tuple[float, float, int]:
        """How good a way to share looks: idle threads, how far from the parts wanted, what a part moves."""
        cuts = cuts_in(shared)
        part = part_of(self._task, cuts)
        assert part is not None
        return (
            -_busy(cuts, self.threads),
            abs(math.log2(math.prod(cuts.values()) / self._wanted(cuts))),
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
