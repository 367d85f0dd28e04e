"""Nests worth measuring before anything is known: random ones, and what was good elsewhere, varied."""

from __future__ import annotations

import random
from dataclasses import replace

from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.moves import FACTORS, mark, merge, split, swap
from harl_mlir.space.nest.nest import LoopNest, parse, plain_nest
from harl_mlir.space.nest.rules import NestRules

_MOST_MOVES = 14
_GENERATED, _UNMARKED = 0.35, 0.45
"""Shares of random nests: marked as a code generator does, and (up to here) not at all."""
_MOST_UNROLLED = 3
_TRIES = 8


def draw(rules: NestRules, rng: random.Random) -> LoopNest:
    """A random legal nest: a random walk, then marks of one of three kinds."""
    nest = plain_nest(rules.op.dims)
    for _ in range(rng.randint(0, _MOST_MOVES)):
        nest = _moved(nest, rules, rng)
    kind = rng.random()
    if kind < _GENERATED:
        return generated(nest, rules)
    if kind < _UNMARKED:
        return nest
    return _marked(nest, rules, rng)


def vary(nest: LoopNest, rules: NestRules, rng: random.Random, moves: int) -> LoopNest:
    """A nest with its marks taken off, moved some steps at random, and marked again at random."""
    nest = bare(nest)
    for _ in range(moves):
        nest = _moved(nest, rules, rng)
    return _marked(nest, rules, rng)


def bare(nest: LoopNest) -> LoopNest:
    """The nest without marks."""
    return replace(nest, loops=tuple(replace(loop, mark="") for loop in nest.loops))


def transfer(text: str, rules: NestRules) -> LoopNest | None:
    """The nest of another problem as one of this op; None where it is not legal here."""
    try:
        nest = parse(rules.op.dims, text)
    except ValueError:
        return None
    fits = [loop for loop, extent in zip(nest.loops, nest.extents, strict=True) if loop.step < extent]
    nest = replace(nest, loops=tuple(fits))
    return nest if rules.is_legal(nest) else None


def approach(text: str, rules: NestRules, rng: random.Random, moves: int) -> LoopNest | None:
    """A nest without marks, some moves away from that of another problem; None where that is illegal."""
    carried = transfer(text, rules)
    if carried is None:
        return None
    nest = bare(carried)
    for _ in range(moves):
        nest = _moved(nest, rules, rng)
    return nest


def _moved(nest: LoopNest, rules: NestRules, rng: random.Random) -> LoopNest:
    """One random legal move that changes no marks, or the nest itself after some tries."""
    for _ in range(_TRIES):
        at = rng.randrange(len(nest.loops))
        kind = rng.random()
        if kind < 0.45:
            made = split(nest, at, rng.choice(FACTORS))
        elif kind < 0.9:
            made = swap(nest, at)
        else:
            made = merge(nest, at)
        if made is not None and rules.is_legal(made):
            return made
    return nest


def _marked(nest: LoopNest, rules: NestRules, rng: random.Random) -> LoopNest:
    """The nest with a vector innermost, where it can be one, and some loops unrolled."""
    made = mark(nest, len(nest.loops) - 1, "v")
    if made is None or not rules.is_legal(made):
        return generated(nest, rules)
    for _ in range(rng.randint(0, _MOST_UNROLLED)):
        more = mark(made, len(made.loops) - 1 - made.marked, "u")
        if more is None or not rules.is_legal(more):
            break
        made = more
    return made
