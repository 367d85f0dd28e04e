"""What an agent sees of a state: a fixed number of float32, made from the state's graph.

Columns are zero where there is no loop.

*paper*, as LoopTune has it (arXiv 2309.01825, section 4.2), 20 columns for each of 10 loops:

    0      whether the cursor is on the loop
    1      log2 of its steps / 8
    2      elements of its last step, if cut short, / those of a whole one
    3      1 for the compute nest; nothing here has a write-back nest of its own
    4-19   histogram of the strides of its accesses: bin i counts those of ceil(log2 stride) = i, / operands

*product*, 24 columns for each of 12 loops:

    0      1, a loop
    1      whether the cursor is on it
    2-4    log2 of its extent, its trips, its step, / 10
    5      elements of its last step, if cut short, / those of a whole one
    6-8    whether it is summed over, unrolled, a vector
    9      whether a vector can lie along it
    10     whether the next mark is for it
    11     whether it is of the dimension of the loop at the cursor
    12-14  whether a step moves in the left input, the right input, the result
    15-17  log2 of a step's stride in each / 16
    18-20  log2 of the elements of each that a step touches / 20
    21     log2 of the extent of its whole dimension / 10
    22-23  loops outside it and loops inside it, / 12

and then 20 of the whole nest:

    0      steps left / those of an episode
    1-2    loops, loops with marks, / 12
    3-4    log2 of the elements that are computed, and of the products summed in each, / 20
    5-7    log2 of the elements of the left input, the right input, the result / 20
    8      log2 of the bytes of an element / 4
    9      ops of the task beside this one / 4
    10-11  log2 of the lanes of a register / 5; registers / 32
    12-13  whether there is a vector, and whether it is summed over
    14     share of its registers' lanes that a vector fills
    15     registers of a vector / 4
    16     registers of all vectors of the result in the body / all there are
    17     log2 of the vector operations of the body / log2 of the most there may be
    18     log2 of those operations for each vector or element loaded / 5
    19     unrolled loops / 4
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import networkx as nx
import numpy as np

from harl_mlir.looptune.actions import PAPER, PRODUCT, Configuration
from harl_mlir.looptune.graph import nest_graph
from harl_mlir.looptune.state import WalkState
from harl_mlir.search.flat_weights import Floats
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import MOST_BODY, MOST_LOOPS, MOST_REGISTERS_A_VECTOR, NestRules
from harl_mlir.tasks.task import Task, element_bytes

_PAPER_COLUMNS, _BINS = 20, 16
_PRODUCT_COLUMNS, _OF_THE_NEST = 24, 20
_CURSOR, _SAME_DIM = 1, 11
_KEPT = 1 << 14
"""Nests seen last whose columns are kept."""
LOWEST, HIGHEST = -1.0, 4.0
"""Of all values, for dimensions of up to 2**40 elements."""


def width(configuration: Configuration) -> int:
    """How long observations are."""
    if configuration == PAPER:
        return PAPER.most_loops * _PAPER_COLUMNS
    return configuration.most_loops * _PRODUCT_COLUMNS + _OF_THE_NEST


def observe(
    state: WalkState, task: Task, rules: NestRules, configuration: Configuration, steps_left: int
) -> Floats:
    """The observation of a state: float32 of shape (`width(configuration)`,), finite, most within 0 and 1.

    The nest has no more than `configuration.most_loops` loops.
    """
    if configuration == PAPER:
        rows = _paper_rows(state.nest, rules).copy()
        rows[state.cursor, 0] = 1
        return rows.ravel()
    rows, whole = (part.copy() for part in _product_parts(state.nest, task, rules))
    dims = [loop.dim for loop in state.nest.loops]
    rows[state.cursor, _CURSOR] = 1
    rows[: len(dims), _SAME_DIM] = np.equal(dims, dims[state.cursor])
    whole[0] = steps_left / configuration.steps
    return np.concatenate((rows.ravel(), whole))


@lru_cache(maxsize=_KEPT)
def _paper_rows(nest: LoopNest, rules: NestRules) -> Floats:
    """All columns but the cursor's."""
    graph = nest_graph(nest, rules)
    rows = np.zeros((PAPER.most_loops, _PAPER_COLUMNS), np.float32)
    for number in range(len(nest.loops)):
        loop = graph.nodes["loop", number]
        rows[number, 1:4] = math.log2(loop["trips"]) / 8, loop["tail"] / loop["step"], 1
        for stride in _strides(graph, number).values():
            rows[number, 4 + min((stride - 1).bit_length(), _BINS - 1)] += 1 / len(rules.op.operands)
    return rows


@lru_cache(maxsize=_KEPT)
def _product_parts(nest: LoopNest, task: Task, rules: NestRules) -> tuple[Floats, Floats]:
    """All columns but those of the cursor, and the values of the whole nest but the steps left."""
    graph = nest_graph(nest, rules)
    rows = np.zeros((PRODUCT.most_loops, _PRODUCT_COLUMNS), np.float32)
    strides = [_strides(graph, number) for number in range(len(nest.loops))]
    rows[: len(strides)] = [_columns(graph, nest, number, strides[number]) for number in range(len(strides))]
    return rows, np.array(_whole(graph, strides, nest, task, rules), np.float32)


def _columns(graph: nx.DiGraph, nest: LoopNest, number: int, strides: dict[int, int]) -> list[float]:
    loop, log = graph.nodes["loop", number], math.log2
    return [
        1,
        0,
        log(loop["extent"]) / 10,
        log(loop["trips"]) / 10,
        log(loop["step"]) / 10,
        loop["tail"] / loop["step"],
        loop["reduction"],
        loop["mark"] == "u",
        loop["mark"] == "v",
        loop["vector_dim"],
        loop["next"],
        0,
        *(operand in strides for operand in range(3)),
        *(log(strides.get(operand, 1)) / 16 for operand in range(3)),
        *(log(elements) / 20 for elements in loop["covers"]),
        log(nest.dims[loop["dim"]]) / 10,
        number / MOST_LOOPS,
        (len(nest.loops) - 1 - number) / MOST_LOOPS,
    ]


def _whole(
    graph: nx.DiGraph, strides: Sequence[dict[int, int]], nest: LoopNest, task: Task, rules: NestRules
) -> list[float]:
    log, op = math.log2, rules.op
    loops = [graph.nodes["loop", number] for number in range(len(nest.loops))]
    vector = loops[-1] if nest.marked else None
    elements = vector["extent"] if vector else 1
    registers, body = rules.register_tile(nest)
    unrolled = {loop["dim"]: loop["trips"] for loop in loops if loop["mark"] == "u"}
    loads = 0
    for operand in range(len(op.inputs)):
        moved = [n for n, loop in enumerate(loops) if loop["mark"] and operand in strides[n]]
        factors = [rules.vector_registers(nest) if loops[n] is vector else loops[n]["trips"] for n in moved]
        loads += math.prod(factors)
    return [
        0,
        len(nest.loops) / MOST_LOOPS,
        nest.marked / MOST_LOOPS,
        log(math.prod(op.dims[d] for d in op.parallel_dims)) / 20,
        log(math.prod(op.dims[d] for d in op.reduction_dims)) / 20,
        *(log(graph.nodes["data", operand]["elements"]) / 20 for operand in range(3)),
        log(element_bytes(op.init.element)) / 4,
        (len(task.members) - 1) / 4,
        log(rules.lanes) / 5,
        rules.registers / 32,
        vector is not None,
        vector is not None and vector["reduction"],
        elements / (rules.vector_registers(nest) * rules.lanes),
        rules.vector_registers(nest) / MOST_REGISTERS_A_VECTOR,
        registers / rules.registers,
        log(body) / math.log2(MOST_BODY),
        log(body / loads) / 5,
        len(unrolled) / 4,
    ]


def _strides(graph: nx.DiGraph, number: int) -> dict[int, int]:
    """By operand, the stride of one step of a loop in elements; without those it does not move in."""
    edges = graph.adj["loop", number]
    return {node[1]: edge["stride"] for node, edge in edges.items() if "stride" in edge}
