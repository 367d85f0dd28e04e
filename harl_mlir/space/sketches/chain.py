"""Chains of products and row operations: all parts of a block of rows before the next block.

What passes from part to part stays in a cache, and scores of an attention never are in memory as a whole.
Each part, within a block, is scheduled by the sketch that it would have as a task of its own; its decisions
have the part's letter in front (`a_rows`). With `block` 0 the parts are done one after the other for all
rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase

import numpy as np

from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.loop_nests import Columns, Nests, NestsOf, inside_of
from harl_mlir.space.sketches.parts import LEFT, prefixed, sketch_decision
from harl_mlir.space.space import Space
from harl_mlir.tasks.chain import Chain, chain_of_task, cuts_of, task_of
from harl_mlir.tasks.part import part_of
from harl_mlir.tasks.task import Task, element_bytes

NAME = "chain"
VERSION = 1
BLOCK = "block"

SpacesOf = Callable[[Task], Sequence[Space]]

_BLOCK_MEANING = "rows for which all parts are done before the next rows; 0: each part for all rows at once"
_SKETCH_MEANING = "the sketch that schedules part"
_LEAST_BLOCK = 16
_MOST_BLOCKS = 6
_CONTRACTION = "contraction"
_FIXED = frozenset({"block", "width", "depth", "copy"})
"""Decisions of a contraction that stay at their defaults: blocks within a block."""


def prefix_of(part: int) -> str:
    """What stands in front of the names of a part's decisions: `a_`."""
    turn, place = divmod(part, len(ascii_lowercase))
    return ascii_lowercase[place] + (str(turn) if turn else "") + "_"


def spaces(task: Task, processor: Processor, spaces_of: SpacesOf) -> tuple[Space, ...]:
    """The choices for a chain, if it is one; `spaces_of` gives those of a part as a task of its own."""
    chain = chain_of_task(task)
    if chain is None:
        return ()
    offered: dict[int, list[_Part]] = {}
    found: list[tuple[Decision, ...]] = []
    for block in _blocks(task, chain, processor):
        inside = part_of(task, cuts_of(task, chain, block))
        if inside is None:
            continue
        parts = [_offered(spaces_of(task_of(inside, part))) for part in chain.parts]
        # What one block does not allow is not offered for the others; a block that leaves nothing is not.
        first = next(iter(offered.values()), parts)
        if [part.sketch for part in parts] != [part.sketch for part in first]:
            continue
        own = found or [part.decisions for part in parts]
        joined = [_joined(*both) for both in zip(own, parts, strict=True)]
        if all(each is not None for each in joined):
            offered[block] = parts
            found = [each for each in joined if each is not None]
    if not offered:
        return ()
    default = next(iter(offered))
    decisions = [Decision(BLOCK, tuple(sorted(offered)), default, meaning=_BLOCK_MEANING)]
    for number, (part, each) in enumerate(zip(offered[default], found, strict=True)):
        prefix, name = prefix_of(number), prefix_of(number).removesuffix("_")
        meaning = f"{_SKETCH_MEANING} {name}"
        decisions.append(sketch_decision(prefix, part.sketch, part.version, meaning))
        decisions += prefixed(prefix, each, name)

    def legal(values: Mapping[str, Value]) -> bool:
        return all(
            part.is_legal({d.name: values[prefix_of(number) + d.name] for d in part.decisions})
            for number, part in enumerate(offered[int(values[BLOCK])])
        )

    return (Space(NAME, VERSION, tuple(decisions), legal, _nests(task, chain, spaces_of, offered[default])),)


def _nests(task: Task, chain: Chain, spaces_of: SpacesOf, offered: Sequence[_Part]) -> NestsOf | None:
    """The nests of the part that does most, that of the task's anchor, in loops over blocks.

    Candidates whose vectors lie otherwise than the part's default are seen as in its order of loops.
    """
    number = next(n for n, part in enumerate(chain.parts) if part.anchor == task.anchor)
    names = {d.name: d.default for d in offered[number].decisions}
    space = next((s for s in spaces_of(task_of(task, chain.parts[number])) if s.nests is not None), None)
    if space is None or not names or names.keys() != {d.name for d in space.decisions}:
        return None
    prefix, alone = prefix_of(number), space.nests
    assert alone is not None
    dims, loops = task.root.op.dims, chain.loops[task.anchor]

    def of(columns: Columns) -> Nests:
        own = {name: columns[prefix + name] for name in names}
        if "along" in own:
            same = own["along"] == names["along"]
            own["order"] = np.where(same, own["order"], str(names["order"]))
        block = columns[BLOCK]
        steps = {loops[d]: np.where(block > 0, 1, dims[d]).tolist() for d in chain.batch}
        steps[loops[chain.row]] = np.where(block > 0, block, dims[chain.row]).tolist()
        return inside_of(alone(own), steps)

    return of


def _blocks(task: Task, chain: Chain, processor: Processor) -> list[int]:
    """The default, then the others: divisors of the number of rows, all rows of a batch, and 0.

    Default: the most rows of which what passes between parts fills half the L2 cache.
    """
    dims = task.root.op.dims
    rows = dims[chain.row]
    blocks = [n for n in range(_LEAST_BLOCK, rows) if rows % n == 0][:_MOST_BLOCKS]
    blocks += [rows] if chain.batch else []
    passed = sum(
        math.prod(task.result_type(part.root).shape) * element_bytes(task.result_type(part.root).element)
        for part in chain.parts[:-1]
    )
    each = passed // math.prod(dims[d] for d in (chain.row, *chain.batch))
    some = [block for block in blocks if block * each <= processor.l2_bytes // 2]
    default = max(some, default=min(blocks, default=0))
    return [default, *(block for block in (0, *blocks) if block != default)]


@dataclass(frozen=True)
class _Part:
    """The spaces that a part may be scheduled by in a block, seen as one: all take the same decisions."""

    sketch: str
    spaces: tuple[Space, ...]
    decisions: tuple[Decision, ...]

    @property
    def version(self) -> int:
        """Of the sketch; 0 where there is none."""
        return next((space.version for space in self.spaces), 0)

    def is_legal(self, values: Mapping[str, Value]) -> bool:
        """Whether one of the spaces allows the values."""
        return not self.spaces or any(
            all(d.accepts(values[d.name]) for d in space.decisions) and space.constraint(values)
            for space in self.spaces
        )


def _offered(spaces: Sequence[Space]) -> _Part:
    """What a part may have: its first sketch, or all contractions but those that copy whole blocks."""
    if not spaces:
        return _Part(LEFT, (), ())
    first, sketch = spaces[0], spaces[0].sketch
    chosen = [first]
    if sketch.startswith(_CONTRACTION):
        sketch = _CONTRACTION
        chosen = [s for s in spaces if s.sketch.startswith(sketch) and not s.sketch.endswith("_blocks")]
        # Its first is the default, unless it copies blocks.
        chosen = chosen or [first]
    decisions = []
    for decision in chosen[0].decisions:
        values: dict[Value, None] = {}
        for space in chosen:
            same = next(d for d in space.decisions if d.name == decision.name)
            values.update(dict.fromkeys(same.values))
        if decision.name in _FIXED:
            values = {decision.default: None}
        order = tuple(sorted(values, key=int)) if decision.ordered else tuple(values)
        decisions.append(replace(decision, values=order))
    return _Part(sketch, tuple(chosen), tuple(decisions))


def _joined(known: Sequence[Decision], part: _Part) -> tuple[Decision, ...] | None:
    """Decisions with the values that a part allows, too; None where it does not allow their defaults."""
    allowed = {d.name: d for d in part.decisions}
    if [d.name for d in known] != list(allowed) or not all(allowed[d.name].accepts(d.default) for d in known):
        return None
    if not part.is_legal({d.name: d.default for d in known}):
        return None
    return tuple(replace(d, values=tuple(v for v in d.values if allowed[d.name].accepts(v))) for d in known)
