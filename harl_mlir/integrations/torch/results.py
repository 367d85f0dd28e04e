"""The results of a graph as a kernel writes them: each once, its elements dense and in order of memory."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, fx

from harl_mlir.integrations.torch.exchange import checked
from harl_mlir.integrations.torch.kernel import Result
from harl_mlir.integrations.torch.nodes import aten
from harl_mlir.integrations.torch.refusal import Refused
from harl_mlir.integrations.torch.rewrites import Rewriter


def lay_out(
    rewriter: Rewriter, promised: Sequence[object]
) -> tuple[tuple[Result, ...], tuple[int | None, ...]]:
    """Make the graph give each result once, permuted to the order in which it lies in memory.

    What is repeated along a dimension is given once.

    Args:
        rewriter: the graph, after its rewrites.
        promised: what it gave before them: a node of its own for each result that is one of its own, and the
            strides that it is to have.

    Returns:
        The results, and for each of the graph's former results the number of it; None for no tensor.

    Raises:
        Refused: a result is no dense tensor.
    """
    (output,) = (node for node in rewriter.graph.nodes if node.op == "output")
    numbers: dict[fx.Node, int] = {}
    results: list[Result] = []
    places: list[int | None] = []
    written: list[fx.Node] = []
    for value, before in zip(output.args[0], promised, strict=True):
        if value is None:
            places.append(None)
            continue
        if not isinstance(value, fx.Node) or not isinstance(before, fx.Node):
            raise Refused("a result is no tensor")
        if before not in numbers:
            numbers[before] = len(results)
            with rewriter.graph.inserting_before(output):
                result, node = _laid_out(rewriter, value, checked(before.meta["val"]))
            results.append(result)
            written.append(node)
        places.append(numbers[before])
    output.args = (written,)
    return tuple(results), tuple(places)


def _laid_out(rewriter: Rewriter, node: fx.Node, value: Tensor) -> tuple[Result, fx.Node]:
    shape = [int(size) for size in value.shape]
    strides = [int(step) for step in value.stride()]
    kept = list(shape)
    for d, step in enumerate(strides):
        if step == 0 and shape[d] > 1:
            kept[d] = 1
            node = rewriter.call(aten.slice.Tensor, node, d, 0, 1)
    long = sorted((d for d in range(len(kept)) if kept[d] > 1), key=lambda d: -strides[d])
    expected = 1
    for d in reversed(long):
        if strides[d] != expected:
            raise Refused(f"a result has strides {tuple(strides)}, which leave gaps; call contiguous() on it")
        expected *= kept[d]
    result = Result(tuple(kept), tuple(strides), value.dtype, tuple(shape))
    if long == sorted(long):
        return result, node
    return result, rewriter.permuted(node, [*long, *(d for d in range(len(kept)) if kept[d] == 1)])
