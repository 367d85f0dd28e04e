"""A loop nest as a graph of loops, data and computation, from which agents observe it.

Nodes are `("loop", number)`, `("data", operand)` and `"computation"`. A loop has edges to the loop directly
inside it and, with the stride of one of its steps, to all data that the step moves in; data have one to the
computation, as has the innermost loop.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import networkx as nx

from harl_mlir.looptune.state import WalkState
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.contraction import stride_along
from harl_mlir.tasks.linalg_op import Operand

COMPUTATION = "computation"
Node = tuple[str, int] | str
_KEPT = 1 << 10
"""Graphs of the nests seen last."""


@lru_cache(maxsize=_KEPT)
def nest_graph(nest: LoopNest, rules: NestRules) -> nx.DiGraph:
    """The graph of a legal nest; not to be changed.

    Attributes of a loop: `dim`; `extent`, the elements it runs over at most; `step` and `trips`; `tail`, the
    elements of a last step cut short, else 0; `mark`; `reduction`, whether it is summed over; `vector_dim`,
    whether a vector can lie along it; `next`, whether it is the loop that the next mark is for; `covers`, the
    elements of each operand that one of its steps touches; `nest`, always `compute`, since results are
    written back where they are computed.

    Attributes of data: `elements` and `result`. Of the computation: `operations` of one point. Of edges from
    loops to data: `stride`, in elements, of one step of the loop, never negative.
    """
    op = rules.op
    graph = nx.DiGraph()
    graph.add_node(COMPUTATION, operations=2)
    for number, operand in enumerate(op.operands):
        graph.add_node(("data", number), elements=math.prod(operand.shape), result=operand is op.init)
    covered = _covered(nest, rules)
    following = len(nest.loops) - 1 - nest.marked
    for number, loop in enumerate(nest.loops):
        graph.add_node(
            ("loop", number),
            dim=loop.dim,
            extent=nest.extents[number],
            step=loop.step,
            trips=nest.trips[number],
            tail=nest.tails[number],
            mark=loop.mark,
            reduction=op.iterators[loop.dim] == "reduction",
            vector_dim=loop.dim in rules.vector_dims,
            next=number == following,
            covers=covered[number],
            nest="compute",
        )
    graph.add_edges_from(_edges(nest, rules))
    return graph


def _edges(nest: LoopNest, rules: NestRules) -> Iterator[tuple[Node, Node, dict[str, int]]]:
    strides = _strides(rules)
    for operand in range(len(rules.op.operands)):
        yield ("data", operand), COMPUTATION, {}
    for number, loop in enumerate(nest.loops):
        for operand, stride in enumerate(strides[loop.dim]):
            if stride:
                yield ("loop", number), ("data", operand), {"stride": loop.step * stride}
        yield ("loop", number), ("loop", number + 1) if number + 1 < len(nest.loops) else COMPUTATION, {}


def state_graph(state: WalkState, rules: NestRules) -> nx.DiGraph:
    """A graph of a state: that of its nest, with `cursor` at every loop, whether the cursor is there."""
    graph = nest_graph(state.nest, rules).copy()
    for number in range(len(state.nest.loops)):
        graph.nodes["loop", number]["cursor"] = number == state.cursor
    return graph


@lru_cache(maxsize=1 << 10)
def _strides(rules: NestRules) -> tuple[tuple[int, ...], ...]:
    """For each dimension, how far one element along it is apart in each operand."""
    op = rules.op
    return tuple(tuple(abs(stride_along(operand, d)) for operand in op.operands) for d in range(len(op.dims)))


def _covered(nest: LoopNest, rules: NestRules) -> list[tuple[int, ...]]:
    """For each loop the elements of every operand inside one of its steps."""
    operands, strides = rules.op.operands, _strides(rules)
    left = list(nest.dims)
    elements = [_elements(operand, left) for operand in operands]
    found = []
    for loop in nest.loops:
        left[loop.dim] = loop.step
        for number, stride in enumerate(strides[loop.dim]):
            if stride:
                elements[number] = _elements(operands[number], left)
        found.append(tuple(elements))
    return found


def _elements(operand: Operand, extents: list[int]) -> int:
    """Elements of the box that a block of iterations touches."""
    total = 1
    for row in operand.map:
        total *= 1 + sum(abs(c) * (n - 1) for c, n in zip(row, extents, strict=False) if c)
    return total
