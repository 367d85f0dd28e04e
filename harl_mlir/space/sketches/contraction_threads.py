"""What of a contraction several threads share: which loop, in how many parts.

Each part is scheduled like a contraction of its size, with packed panels and copied blocks of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.sketches.contraction_choices import Choices
from harl_mlir.space.sketches.contraction_storage import Storage, Stored, storages
from harl_mlir.tasks.linalg_op import AffineRow, LinalgOp, Operand

_ALONE = "no"
_MOST_PARTS_A_THREAD = 16
_LEAST_BUSY = 0.75
_WORTH_WAKING = 1 << 18
"""Steps of the loop nest below which waking a thread takes about as long as it saves."""
_MEANING = "what threads share: nothing, or a loop in so many equal parts (d0/4: the first loop in 4)"


def shared_loop(candidate: Candidate) -> tuple[int, int] | None:
    """The loop that threads share and into how many parts it is cut; None where one thread does it all."""
    return _shared(candidate.assignment.get("shared", _ALONE))


def _shared(value: Value) -> tuple[int, int] | None:
    if value == _ALONE:
        return None
    loop, parts = str(value).removeprefix("d").split("/")
    return int(loop), int(parts)


def part_of(op: LinalgOp, loop: int, parts: int) -> LinalgOp:
    """The op that does one part of `loop`, which `parts` divide."""
    dims = tuple(extent // parts if d == loop else extent for d, extent in enumerate(op.dims))
    less = op.dims[loop] - dims[loop]
    return replace(op, dims=dims, operands=tuple(_part(operand, loop, less) for operand in op.operands))


def _part(operand: Operand, loop: int, less: int) -> Operand:
    def extent(row: AffineRow, whole: int) -> int:
        return whole - row[loop] * less

    pairs = zip(operand.map, operand.shape, strict=True)
    return replace(operand, shape=tuple(extent(row, whole) for row, whole in pairs))


@dataclass(frozen=True)
class Shared:
    """The choices of a contraction that threads may share; `stored` are those of the default's part.

    What is open in other parts is that, too, as far as their own choices allow it.
    """

    stored: Stored
    whole: Choices
    decision: Decision
    _parts: dict[Value, tuple[Choices, tuple[Decision, ...]]] = field(default_factory=dict, compare=False)

    @property
    def storage(self) -> Storage:
        """From where operands are read."""
        return self.stored.storage

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Those of the part, and what is shared."""
        return (*self.stored.decisions, self.decision)

    def is_legal(self, values: Mapping[str, Value]) -> bool:
        """Whether the choices of the part that `values` share allow the rest of them."""
        choices, offered = self._part(values[self.decision.name])
        if not all(decision.accepts(values[decision.name]) for decision in offered):
            return False
        return replace(self.stored, choices=choices).is_legal(values)

    def _part(self, value: Value) -> tuple[Choices, tuple[Decision, ...]]:
        if value not in self._parts:
            choices = _choices_of_part(self.whole, value)
            self._parts[value] = choices, choices.decisions()
        return self._parts[value]


def shared_storages(choices: Choices, threads: int) -> list[Stored] | list[Shared]:
    """What is open in each storage that suits where `threads` may share the work; see `storages`."""
    decision = _decision(choices, threads)
    if decision is None:
        return storages(choices)
    part = _choices_of_part(choices, decision.default)
    return [Shared(stored, choices, decision) for stored in storages(part)]


def _choices_of_part(whole: Choices, value: Value) -> Choices:
    shared = _shared(value)
    if shared is None:
        return whole
    # A part that an epilogue follows is not computed in its place where C is in memory between blocks.
    filled = whole.filled and not whole.followed
    return replace(whole, op=part_of(whole.op, *shared), filled=filled)


def _decision(choices: Choices, threads: int) -> Decision | None:
    """What threads may share. Default: the outermost loop that keeps all of them busy, in few parts.

    Nothing where waking them is not worth it.
    """
    if threads == 1:
        return None
    op = choices.op
    pairs = [(d, parts) for d in op.parallel_dims for parts in _parts_of(choices, d, threads)]
    if not pairs:
        return None
    default = _ALONE
    if math.prod(op.dims) >= threads * _WORTH_WAKING:
        loop, parts = min(pairs, key=lambda pair: (-_busy(pair[1], threads), pair[0], pair[1]))
        default = f"d{loop}/{parts}"
    words = (_ALONE, *(f"d{loop}/{parts}" for loop, parts in pairs))
    return Decision("shared", words, default, ordered=False, meaning=_MEANING)


def _parts_of(choices: Choices, loop: int, threads: int) -> list[int]:
    """Into how many equal parts a loop may be cut: whole registers, and few threads idle at the end."""
    op, extent = choices.op, choices.op.dims[loop]
    most = extent
    if loop == choices.roles.vector:
        most = extent // choices.lanes if extent % choices.lanes == 0 else 0
    elif len(op.dims) <= 3 or loop == choices.roles.row:
        # A register tile cannot be made of a loop of one step.
        most = extent // 2
    counts = range(threads, min(most, _MOST_PARTS_A_THREAD * threads) + 1)
    found = [parts for parts in counts if extent % parts == 0 and _busy(parts, threads) >= _LEAST_BUSY]
    if loop == choices.roles.vector:
        found = [parts for parts in found if extent // parts % choices.lanes == 0]
    return [parts for i, parts in enumerate(found) if i == 0 or parts % threads == 0]


def _busy(parts: int, threads: int) -> float:
    """The part of the threads' time in which they have something to do."""
    return parts / (-(-parts // threads) * threads)
