"""The linalg ops of a function, how values flow between them, and groups of them."""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.mlir import ir
from harl_mlir.tasks.linalg_op import LinalgOp


@dataclass(frozen=True)
class Node:
    """A linalg op on tensors with its facts."""

    op: ir.Operation
    facts: LinalgOp

    @property
    def is_elementwise(self) -> bool:
        """Whether all loops are parallel: maps, copies, transposes, broadcasts, fills."""
        return not self.facts.reduction_dims

    @property
    def is_fill(self) -> bool:
        """Whether it writes one scalar everywhere."""
        return self.facts.is_fill


@dataclass(frozen=True)
class Group:
    """Numbers of a group's nodes, in program order; the last is the root."""

    nodes: tuple[int, ...]
    anchor: int

    @property
    def root(self) -> int:
        """The node whose result leaves the group."""
        return self.nodes[-1]


@dataclass(frozen=True)
class Flow:
    """Which nodes take the results of which: for each node the others, and by which operands.

    Attributes:
        consumers: numbers of the nodes that take a node's result, in program order.
        producers: numbers of the nodes whose results a node takes, with its own operand numbers.
    """

    consumers: tuple[list[int], ...]
    producers: tuple[dict[int, tuple[int, ...]], ...]


def flow_of(nodes: list[Node]) -> Flow:
    """How values flow between the nodes."""
    made_by = {node.op.results[0]: i for i, node in enumerate(nodes)}
    flow = Flow(tuple([] for _ in nodes), tuple({} for _ in nodes))
    for consumer, node in enumerate(nodes):
        taken = flow.producers[consumer]
        for number, value in enumerate(node.op.operands):
            producer = made_by.get(value)
            if producer is not None:
                taken[producer] = (*taken.get(producer, ()), number)
        for producer in taken:
            flow.consumers[producer].append(consumer)
    return flow
