"""The graph of a state."""

from __future__ import annotations

from harl_mlir.looptune.graph import COMPUTATION, nest_graph, state_graph
from harl_mlir.looptune.state import WalkState
from harl_mlir.space.nest.nest import parse
from tests.looptune.problems import CONV, MATMUL, rules_of

_NEST = parse(MATMUL.anchor_op.dims, "0/24 0/4 1/16 2/1 0/1u 1/1v")


def test_a_matmul() -> None:
    graph = nest_graph(_NEST, rules_of(MATMUL))
    assert graph.number_of_nodes() == 6 + 3 + 1
    nesting = [(("loop", n), ("loop", n + 1)) for n in range(5)] + [(("loop", 5), COMPUTATION)]
    data = [(("data", operand), COMPUTATION) for operand in range(3)]
    # A is 64x80, B 80x96, C 64x96.
    strides = {
        (0, 0): 24 * 80,
        (0, 2): 24 * 96,
        (1, 0): 4 * 80,
        (1, 2): 4 * 96,
        (2, 1): 16,
        (2, 2): 16,
        (3, 0): 1,
        (3, 1): 96,
        (4, 0): 80,
        (4, 2): 96,
        (5, 1): 1,
        (5, 2): 1,
    }
    accesses = {(("loop", loop), ("data", operand)): stride for (loop, operand), stride in strides.items()}
    assert {(a, b): stride for a, b, stride in graph.edges(data="stride") if stride} == accesses
    assert set(graph.edges) == {*nesting, *data, *accesses}


def test_attributes() -> None:
    graph = nest_graph(_NEST, rules_of(MATMUL))
    assert graph.nodes["loop", 0] == {
        "dim": 0,
        "extent": 64,
        "step": 24,
        "trips": 3,
        "tail": 16,
        "mark": "",
        "reduction": False,
        "vector_dim": False,
        "next": False,
        "covers": (24 * 80, 80 * 96, 24 * 96),
        "nest": "compute",
    }
    assert [graph.nodes["loop", n]["next"] for n in range(6)] == [False] * 3 + [True, False, False]
    assert [graph.nodes["loop", n]["reduction"] for n in range(6)] == [False] * 3 + [True, False, False]
    assert graph.nodes["loop", 3]["covers"] == (4, 16, 4 * 16)
    assert graph.nodes["loop", 5]["vector_dim"]
    assert [graph.nodes["data", n]["elements"] for n in range(3)] == [64 * 80, 80 * 96, 64 * 96]
    assert [graph.nodes["data", n]["result"] for n in range(3)] == [False, False, True]


def test_the_cursor_is_the_states() -> None:
    rules = rules_of(MATMUL)
    graph = state_graph(WalkState(_NEST, 2), rules)
    assert [graph.nodes["loop", n]["cursor"] for n in range(6)] == [n == 2 for n in range(6)]
    assert "cursor" not in nest_graph(_NEST, rules).nodes["loop", 2]


def test_windows_overlap() -> None:
    nest = parse(CONV.anchor_op.dims, "0/1 1/5 1/1 2/1 3/1")
    graph = nest_graph(nest, rules_of(CONV))
    # The image has a row of 16 channels for each of 61 places; five results with three taps see eleven.
    assert graph.nodes["loop", 1]["covers"] == (11 * 16, 3 * 16, 5)
    assert graph.edges[("loop", 2), ("data", 0)]["stride"] == 2 * 16
