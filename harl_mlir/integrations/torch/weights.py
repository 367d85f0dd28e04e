"""Weights as the kernel reads them: what only depends on weights is computed once, not at every call.

A graph is parted in two: the part that depends on nothing but parameters and buffers (a transposed weight,
the scale of a batch normalisation) runs in eager mode, when first needed and when a weight has changed;
its results are contiguous and kept. The rest is compiled.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, fx
from torch.fx.node import Argument

from harl_mlir.integrations.torch.nodes import mapped


@dataclass(frozen=True)
class Parted:
    """A graph in two parts.

    Attributes:
        body: the graph that is compiled. Its placeholders stand for some of the arguments, then for what
            `weights` gives.
        arguments: numbers of the arguments of the original graph that the body takes.
        weights: gives the rest; None where there is none.
    """

    body: fx.GraphModule
    arguments: tuple[int, ...]
    weights: Weights | None


class Weights:
    """Results of the part of a graph that depends on weights alone. Safe to use from several threads.

    Args:
        module: takes some arguments of the graph, and gives the results.
        arguments: numbers of these arguments.
    """

    def __init__(self, module: fx.GraphModule, arguments: tuple[int, ...]) -> None:
        self._module = module
        self._arguments = arguments
        self._lock = threading.Lock()
        self._kept: tuple[tuple[_Seen, ...], list[Tensor]] | None = None

    def of(self, arguments: Sequence[Tensor]) -> list[Tensor]:
        """The results for the weights as they are now, all contiguous.

        A weight has changed if it is another tensor, has other memory, or another version: what is
        written through `.data` or an array that shares its memory is not noticed.
        """
        given = [arguments[number] for number in self._arguments]
        kept = self._kept
        if kept is not None and all(seen.is_still(t) for seen, t in zip(kept[0], given, strict=True)):
            return kept[1]
        with self._lock, torch.no_grad():
            seen = tuple(_Seen(weakref.ref(t), t.data_ptr(), t._version) for t in given)
            results = [t.contiguous() for t in self._module(*given)]
            self._kept = (seen, results)
            return results


@dataclass(frozen=True)
class _Seen:
    tensor: weakref.ref[Tensor]
    address: int
    version: int

    def is_still(self, tensor: Tensor) -> bool:
        return (
            self.tensor() is tensor and tensor._version == self.version and tensor.data_ptr() == self.address
        )


def part(module: fx.GraphModule, static: Collection[int]) -> Parted:
    """Part a graph; `static` are the numbers of the arguments that are weights."""
    graph = module.graph
    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    weights = {node for number, node in enumerate(placeholders) if number in static}
    weights |= {node for node in graph.nodes if node.op == "get_attr"}
    known = set(weights)
    for node in graph.nodes:
        if node.op == "call_function" and _depends_on(node, known):
            known.add(node)
    outside = [node for node in graph.nodes if node not in known and node.op != "placeholder"]
    needed = {source for node in outside for source in node.all_input_nodes}
    results = [
        node for node in graph.nodes if node in known and node in needed and (node.op != "placeholder")
    ]
    taken = [node for node in placeholders if node in needed]
    body = _body(module, [*taken, *results], outside)
    arguments = tuple(placeholders.index(node) for node in taken)
    if not results:
        return Parted(body, arguments, None)
    inputs = [node for node in placeholders if node in weights and _leads_to(node, known, results)]
    first = _copied(module, inputs, [n for n in graph.nodes if n in known and n not in placeholders], results)
    return Parted(body, arguments, Weights(first, tuple(placeholders.index(node) for node in inputs)))


def _depends_on(node: fx.Node, known: set[fx.Node]) -> bool:
    """Whether a node can be computed beforehand: from known ones alone, and is not larger than these."""
    sources = node.all_input_nodes
    target = node.target
    if not sources or any(source not in known for source in sources):
        return False
    if isinstance(target, torch._ops.OpOverload) and torch.Tag.nondeterministic_seeded in target.tags:
        return False
    value = node.meta.get("val")
    if not isinstance(value, Tensor):
        return False
    sizes = [s.meta["val"].numel() for s in sources if isinstance(s.meta.get("val"), Tensor)]
    return int(value.numel()) <= sum(int(size) for size in sizes)


def _leads_to(node: fx.Node, known: set[fx.Node], results: list[fx.Node]) -> bool:
    ahead, seen = [node], set[fx.Node]()
    while ahead:
        current = ahead.pop()
        if current in results:
            return True
        fresh = [user for user in current.users if user in known and user not in seen]
        seen.update(fresh)
        ahead += fresh
    return False


def _body(module: fx.GraphModule, inputs: list[fx.Node], nodes: list[fx.Node]) -> fx.GraphModule:
    (output,) = (node for node in nodes if node.op == "output")
    inner = [node for node in nodes if node.op != "output"]
    return _copied(module, inputs, inner, output.args[0])


def _copied(
    module: fx.GraphModule, inputs: list[fx.Node], nodes: list[fx.Node], results: Argument
) -> fx.GraphModule:
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for number, node in enumerate(inputs):
        copies[node] = graph.placeholder(f"argument_{number}")
        copies[node].meta["val"] = node.meta["val"]
    for node in nodes:
        copies[node] = graph.node_copy(node, lambda source: copies[source])
    graph.output(mapped(results, lambda node: copies[node]))
    graph.eliminate_dead_code()
    return fx.GraphModule(module, graph)
