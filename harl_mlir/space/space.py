"""The space of one sketch on one task: its decisions and which assignments of them are legal."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.loop_nests import NestsOf

Constraint = Callable[[Mapping[str, Value]], bool]

_SAMPLE_TRIES = 200


def _anything(_: Mapping[str, Value]) -> bool:
    return True


@dataclass(frozen=True)
class Space:
    """All candidates of a sketch for a task.

    Every assignment that `is_legal` accepts must transform, lower and compute the right numbers.
    `nests` tells the loops that candidates come to; None where the sketch does not know.
    """

    sketch: str
    version: int
    decisions: tuple[Decision, ...]
    constraint: Constraint = field(default=_anything, compare=False)
    nests: NestsOf | None = field(default=None, compare=False)

    def candidate(self, values: Mapping[str, Value]) -> Candidate:
        """The candidate that holds `values`, which must name every decision."""
        return Candidate(self.sketch, self.version, tuple((d.name, values[d.name]) for d in self.decisions))

    def default(self) -> Candidate:
        """The candidate of all defaults: trial 0. Legal by the sketch's contract."""
        return self.candidate({d.name: d.default for d in self.decisions})

    def is_legal(self, candidate: Candidate) -> bool:
        """Whether the candidate belongs to this space."""
        if (candidate.sketch, candidate.version) != (self.sketch, self.version):
            return False
        if tuple(name for name, _ in candidate.values) != tuple(d.name for d in self.decisions):
            return False
        known = all(d.accepts(value) for d, (_, value) in zip(self.decisions, candidate.values, strict=True))
        return known and self.constraint(candidate.assignment)

    def sample(self, rng: random.Random) -> Candidate:
        """Draw a legal candidate: rejection from the uniform draw, else a random walk from the default."""
        for _ in range(_SAMPLE_TRIES):
            values = {d.name: d.sample(rng) for d in self.decisions}
            if self.constraint(values):
                return self.candidate(values)
        candidate = self.default()
        for _ in range(4 * len(self.decisions)):
            moves = self.moves(candidate)
            if not moves:
                break
            candidate = rng.choice(moves)
        return candidate

    def moves(self, candidate: Candidate) -> list[Candidate]:
        """All legal candidates one decision step away."""
        found: list[Candidate] = []
        for decision in self.decisions:
            for value in decision.neighbours(candidate[decision.name]):
                values = {**candidate.assignment, decision.name: value}
                if self.constraint(values):
                    found.append(self.candidate(values))
        return found

    def size(self) -> int:
        """Upper bound of the number of candidates (legality not counted)."""
        product = 1
        for decision in self.decisions:
            product *= len(decision.values)
        return product
