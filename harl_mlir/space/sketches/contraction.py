"""Contraction-like tasks: matmuls of all kinds, convolutions, tensor contractions.

One register tile of `rows` x `vector` accumulators runs over the contracted loops; loops over the
tiles go in a chosen order, inside loops over blocks that stay in a cache. Sketches differ in what no
single step changes: where vectors lie (`along`), and whether operands are read where they lie, from packed
panels, or from copies of whole blocks (`Storage`).
See `harl_mlir.schedule.sketches.contraction` for the script.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.decision import LANES, Decision, Value, number
from harl_mlir.space.sketches.contraction_choices import Choices
from harl_mlir.space.sketches.contraction_nests import contracted
from harl_mlir.space.sketches.contraction_storage import STORAGES, storages
from harl_mlir.space.sketches.parts import TimesOf
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import Contraction, ways_of, with_vectors_last
from harl_mlir.tasks.linalg_op import LinalgOp, loops_of
from harl_mlir.tasks.task import Task, element_bytes

VERSION = 6
ALONG, ACROSS = "result", "across"
_PREFIXES = {ALONG: "contraction", ACROSS: "contraction_across"}
NAMES = tuple(prefix + storage.suffix for prefix in _PREFIXES.values() for storage in STORAGES)

_ALONG = "whether vectors lie along the contiguous loop of the result, or across it"
_FUSED = "whether a product may be added without being rounded first"

_ELEMENTS = frozenset({"f32", "f64", "i8", "i16", "i32", "i64"})
# Sums in half precision would be taken element by element: code that takes seconds to compile.
_INPUT_ELEMENTS = _ELEMENTS | {"f16", "bf16"}


def spaces(task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> tuple[Space, ...]:
    """A space for each place of the vectors and each storage that suits; the default's comes first.

    Choices: `rows`, `vector` (register tile), `order`, `block`, `width`, `depth` (of rows, vectors and
    contracted steps: tiles that a cache holds), `pack` and `copy` (of the vector and the broadcast
    operand), `unroll`.
    `along` is a fact of the sketch, `lanes` one of the processor, and so is
    `fused`: whether a product may be added without being rounded first, and the contracted loops may
    change places.
    """
    exact = accuracy == "strict" and task.anchor_op.init.element.startswith("f")
    lanes = processor.lanes(element_bytes(task.anchor_op.init.element))
    followed = task.anchor < len(task.members) - 1
    roles = ways(task, exact=exact)
    choices = {
        word: Choices(op, left, lanes, can_pad(task, op, left), processor, exact, followed, task.anchor > 0)
        for word, given in roles.items()
        for op, left in [with_vectors_last(task.anchor_op, given)]
    }
    words = list(choices)
    if len(words) > 1 and _default_along(choices, both_copy=roles[ALONG].transposed) == ACROSS:
        words.reverse()
    nests = {word: contracted(task, given, lanes, processor) for word, given in roles.items()}
    facts = (
        Decision("lanes", (lanes,), lanes, meaning=LANES),
        _fact("fused", "no" if exact else "yes", _FUSED),
    )
    return tuple(
        Space(
            _PREFIXES[word] + stored.storage.suffix,
            VERSION,
            (_fact("along", word, _ALONG), *stored.decisions, *facts),
            stored.is_legal,
            nests[word],
        )
        for word in words
        for stored in storages(choices[word])
    )


def _fact(name: str, word: str, meaning: str) -> Decision:
    return Decision(name, (word,), word, ordered=False, meaning=meaning)


def ways(task: Task, *, exact: bool) -> dict[str, Contraction]:
    """The roles that the anchor's loops may have, by value of the decision `along`."""
    op = task.anchor_op
    if any(operand.element not in _INPUT_ELEMENTS for operand in op.inputs):
        return {}
    if op.init.element not in _ELEMENTS:
        return {}
    # An epilogue would read rows written to memory that has to be a copy of the argument.
    no_rows = task.anchor == 0 and len(task.members) > 1
    return {
        ACROSS if roles.across else ALONG: roles
        for roles in ways_of(op, exact=exact)
        if not (roles.by_rows and no_rows)
    }


def _default_along(choices: Mapping[str, Choices], *, both_copy: bool) -> str:
    """Where both ways copy an operand, the one that copies much less.

    Else along the result where whole pairs of registers fill its rows, or across it not one is filled.
    """
    result, across = choices[ALONG], choices[ACROSS]
    if both_copy:
        return ACROSS if result.vector_bytes > 2 * across.vector_bytes else ALONG
    fills_result = result.vector_extent % (2 * result.lanes) == 0
    across_vector = number(across.vector_decision().default)
    fills_across = min(across_vector, across.vector_extent) >= across.lanes
    return ACROSS if fills_across and not fills_result else ALONG


def fill_value(task: Task) -> float | int | None:
    """What C starts as everywhere, or None where that is no constant."""
    source = task.members[0].sources[0]
    return source.number if task.anchor > 0 and source.kind == "constant" else None


def can_pad(task: Task, op: LinalgOp, roles: Contraction) -> bool:
    """Whether a tile's vector loop can be padded to full registers; `op` is what is left to schedule.

    Not where it enters its operand in a sum of loops, nor where rows are computed one by one, nor where
    there is a single row, which would read the operand's copy once. Not where contracted loops stand before
    parallel ones: a padded tile is then not seen to be a transfer's, and is copied in memory. Nor where
    an epilogue reads the padded tile, unless C starts as a constant and the op need not be folded to
    three loops first: else the tile would be a copy in memory.
    """
    fused = task.anchor < len(task.members) - 1
    if roles.by_rows or roles.row is None or (fused and (len(op.dims) > 3 or fill_value(task) is None)):
        return False
    if op.parallel_dims and op.reduction_dims and max(op.parallel_dims) > min(op.reduction_dims):
        return False
    rows = [row for row in op.operands[roles.vector_operand].map if row[roles.vector]]
    return all(len(loops_of(row)) == 1 for row in rows)


def inside_of(space: Space, task: Task, operand: int) -> TimesOf | None:
    """How often each element of an operand is computed, by decisions, if that is done where it is read.

    What is broadcast is computed as scalars, each of which counts as a vector. That is None where decisions
    do not allow it: vectors of the operand are neither padded nor copied in part.

    None for sketches of other kinds, where the vector operand is copied with its dimensions in another order
    or read across C, and where rows are done one by one, which would be much code, unless they read a copy.
    """
    if space.sketch not in NAMES:
        return None
    default = space.default().assignment
    roles = ways(task, exact=default["fused"] == "no")[str(default["along"])]
    in_vectors = operand == roles.vector_operand
    copied = "pack" if in_vectors else "copy"
    may_copy = any(d.name == copied and d.values != ("none",) for d in space.decisions)
    if roles.transposed or (roles.across and in_vectors) or (roles.by_rows and not may_copy):
        return None
    dims = task.anchor_op.dims
    rows = 1 if roles.row is None else dims[roles.row]
    others = math.prod(dims[d] for d in roles.rows if d != roles.row)

    def times(values: Mapping[str, Value]) -> int | None:
        height, width, in_copy = number(values["rows"]), number(values["vector"]), values[copied] != "none"
        if roles.by_rows and not in_copy:
            return None
        if not in_vectors:
            return 1 if in_copy else number(values["lanes"]) * -(-dims[roles.vector] // width)
        if dims[roles.vector] % width or (values["pack"] == "panels" and rows % height):
            return None
        return 1 if in_copy else others * -(-rows // height)

    return times
