"""Parts of a task that are done one after the other, of which each pads what it reads.

What is padded at a time is then in a cache.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harl_mlir.space.sketches.cuts import ALONE, Parts, cuts_in, word_of
from harl_mlir.tasks.part import pads_parts
from harl_mlir.tasks.producers import paddings_of
from harl_mlir.tasks.task import Task, element_bytes


def padded_words(parts: Parts) -> tuple[str, ...]:
    """The ways to pad a part of an operand at a time.

    None where C starts as an argument: its tiles would be copied to where they belong.
    """
    task = parts.task
    if task.members[task.anchor].sources[-1].kind == "argument":
        return (ALONE,)
    pads = paddings_of(task)
    dims = range(min(len(parts.shape), len(task.anchor_op.result_loops)))
    cut = [d for d in dims if any(pads_parts(task, pad, (d,)) for pad in pads)]
    return (ALONE, *(word_of({d: n}) for d in cut for n in parts.divisors(d, lines=True)))


def in_room(parts: Parts, words: Sequence[str], room: float) -> list[str]:
    """The ways to pad, the first one that of fewest parts of which none pads more than `room` bytes."""
    padded = _padded_bytes(parts.task)

    def cost(word: str) -> tuple[bool, int]:
        count = math.prod(cuts_in(word).values())
        return padded > room * count, count

    return sorted(words, key=cost)


def _padded_bytes(task: Task) -> int:
    """Bytes of the largest operand that is padded."""
    made = (task.members[pad.members[-1]].op.init for pad in paddings_of(task))
    return max((math.prod(each.shape) * element_bytes(each.element) for each in made), default=0)
