"""The space of all legal loop nests of a task, which is walked rather than listed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import LANES, Decision, Value
from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.moves import all_moves
from harl_mlir.space.nest.nest import LoopNest, parse, plain_nest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import is_multiply_add
from harl_mlir.tasks.producers import producers_of
from harl_mlir.tasks.task import Task, element_bytes

SKETCH, VERSION = "loop_nest", 1
_ELEMENTS = frozenset({"f32", "f64", "i32", "i64"})
_NEST = "all loops from the outermost, as dimension/step; u: unrolled, v: a vector"
_STEPS = 24
"""Moves of the random walk that draws a nest."""


@dataclass(frozen=True)
class NestDecision(Decision):
    """The loop nest as one decision: too many values to list, of which `values` holds some, best first."""

    rules: NestRules = field(kw_only=True, compare=False)

    def accepts(self, value: Value) -> bool:
        """Whether the text is a legal nest of the op."""
        return self._nest(value) is not None

    def sample(self, rng: random.Random) -> Value:
        """Where a random walk from the plain nest ends."""
        nest = plain_nest(self.rules.op.dims)
        for _ in range(rng.randrange(1, _STEPS)):
            nest = rng.choice(legal_moves(nest, self.rules) or [nest])
        return nest.text()

    def neighbours(self, value: Value) -> tuple[Value, ...]:
        """Every nest one move away."""
        nest = self._nest(value)
        if nest is None:
            raise ValueError(f"{value!r} is no legal nest of the op")
        return tuple(move.text() for move in legal_moves(nest, self.rules))

    def _nest(self, value: Value) -> LoopNest | None:
        try:
            nest = parse(self.rules.op.dims, str(value))
        except ValueError:
            return None
        return nest if nest.text() == value and self.rules.is_legal(nest) else None


def legal_moves(nest: LoopNest, rules: NestRules) -> list[LoopNest]:
    """Every legal nest that one change makes."""
    return [made for made in all_moves(nest) if rules.is_legal(made)]


def rules_for(task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> NestRules | None:
    """The rules for nests around the task's anchor; None where that is not the one sum, of products.

    Sums are taken in any order, which `strict` does not allow where there is rounding.
    """
    op = task.anchor_op
    elements = {operand.element for operand in op.operands}
    exact = accuracy == "strict" and op.init.element.startswith("f")
    # An epilogue would read sums from memory that has to be a copy of the argument they start from.
    unfilled = task.anchor == 0 and len(task.members) > 1
    if unfilled or exact or not is_multiply_add(op) or not elements <= _ELEMENTS or len(elements) > 1:
        return None
    if not op.reduction_dims or not op.init.map or all(extent == 1 for extent in op.dims):
        return None
    # Nor are what is computed before an operand, or other sums, parts of the nest.
    if sum(bool(member.op.reduction_dims) for member in task.members) > 1 or producers_of(task):
        return None
    return NestRules(op, processor.lanes(element_bytes(op.init.element)), processor.vector_registers)


def nest_space(
    task: Task,
    processor: Processor,
    accuracy: Accuracy = DEFAULT_ACCURACY,
    default: LoopNest | None = None,
    others: Sequence[LoopNest] = (),
) -> Space | None:
    """All nests of a task, None where `rules_for` gives none.

    Its default is the nest `default`, or else what a code generator makes of the plain nest; `others`, best
    first, are listed beside it.
    """
    rules = rules_for(task, processor, accuracy)
    if rules is None:
        return None
    first = default or generated(plain_nest(rules.op.dims), rules)
    texts = tuple(dict.fromkeys(nest.text() for nest in (first, *others)))
    nests = NestDecision("nest", texts, texts[0], ordered=False, rules=rules, meaning=_NEST)
    lanes = Decision("lanes", (rules.lanes,), rules.lanes, meaning=LANES)
    return Space(SKETCH, VERSION, (nests, lanes))


def candidate_of(nest: LoopNest, rules: NestRules) -> Candidate:
    """The candidate that holds a nest."""
    return Candidate(SKETCH, VERSION, (("nest", nest.text()), ("lanes", rules.lanes)))
