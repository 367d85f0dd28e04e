"""What a code generator makes of a nest without marks: a vector innermost, what fits around it unrolled.

LoopTune's agent leaves these to its back end, LoopNest; this is the same division of labour.
"""

from __future__ import annotations

from harl_mlir.space.nest.moves import mark, split
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules

_REGISTERS = (2, 1, 4, 1 / 2, 1 / 4)
"""Of a vector, in the order of preference."""
_MOST_STEPS = 16
"""A loop of more steps is not unrolled."""


def generated(nest: LoopNest, rules: NestRules) -> LoopNest:
    """The nest with marks: the innermost loop (or its last steps) as a vector if it can be one.

    Loops around it are unrolled as long as all sums of the tile fit the registers.
    """
    nest = _vectorised(nest, rules)
    while nest.marked and len(nest.loops) > nest.marked:
        at = len(nest.loops) - 1 - nest.marked
        made = mark(nest, at, "u") if nest.trips[at] <= _MOST_STEPS else None
        if made is None or not rules.is_legal(made):
            break
        nest = made
    return nest


def _vectorised(nest: LoopNest, rules: NestRules) -> LoopNest:
    last = len(nest.loops) - 1
    whole = mark(nest, last, "v")
    if whole is not None and nest.extents[last] <= 2 * rules.lanes and rules.is_legal(whole):
        return whole
    for registers in _REGISTERS:
        width = int(registers * rules.lanes)
        parts = split(nest, last, width) if width > 1 else None
        made = parts and mark(parts, last + 1, "v")
        if made is not None and rules.is_legal(made):
            return made
    return whole if whole is not None and rules.is_legal(whole) else nest
