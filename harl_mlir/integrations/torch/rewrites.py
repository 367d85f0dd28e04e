"""Rewrites of a functional ATen graph that make fusion groups of what would be ops and copies between.

Shapes are static. Reshapes are moved behind elementwise ops and reductions along rows, so that bias,
activation and residual of a Linear stand on the result of its product; permutations are joined, and moved
behind selections; a convolution's bias is added to its result. Where sums may be taken in another order,
factors that are weights go into the filters (a batch normalisation after a convolution).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode

from harl_mlir.integrations.torch.nodes import (
    aten,
    integer,
    integers,
    long_dims,
    mapped,
    shape_of,
    source,
    tensor_of,
    value_of,
)

VIEW = aten.reshape.default
PERMUTE = aten.permute.default

_RESHAPES = frozenset(
    {
        aten.view.default, aten._unsafe_view.default, aten.reshape.default, aten.unsqueeze.default,
        aten.squeeze.default, aten.squeeze.dim, aten.squeeze.dims, aten.flatten.using_ints,
    }
)  # fmt: skip
_COPIES = frozenset(
    {aten.clone.default, aten.alias.default, aten.detach.default, aten.lift_fresh_copy.default}
)
_PERMUTATIONS = frozenset({PERMUTE, aten.transpose.int, aten.t.default})
_ROW_REDUCTIONS = frozenset({aten.sum.dim_IntList, aten.amax.default, aten.amin.default, aten.mean.dim})
_CONVOLUTION = aten.convolution.default
_TIMES = aten.mul.Tensor
_PLUS = aten.add.Tensor


class Rewriter:
    """A graph that is being rewritten; every node has its fake tensor in `meta["val"]`.

    Args:
        module: of the graph.
        mode: of its fake tensors.
        weights: placeholders that stand for weights, which others may be multiplied into.
    """

    def __init__(
        self, module: fx.GraphModule, mode: FakeTensorMode, weights: Collection[fx.Node] = ()
    ) -> None:
        self.graph = module.graph
        self._mode = mode
        self._weights = set(weights)

    def run(self) -> None:
        """Rewrite the graph in place."""
        for node in list(self.graph.nodes):
            if node.op == "call_function":
                self._note(node)
                with self.graph.inserting_before(node):
                    new = self._rewritten(node)
                if new is not None:
                    node.replace_all_uses_with(new)
                    self.graph.erase_node(node)
        self.graph.eliminate_dead_code()
        self.graph.lint()

    def _rewritten(self, node: fx.Node) -> fx.Node | None:
        """What takes a node's place, or None where it stays."""
        target = node.target
        if target in _COPIES:
            return source(node)
        if target is aten.expand.default and shape_of(node) == shape_of(source(node)):
            return source(node)
        if target in _RESHAPES:
            return self.reshaped(source(node), shape_of(node))
        if target in _PERMUTATIONS:
            return self.permuted(source(node), _order(node))
        if target is aten.select.int:
            return self._selection(node)
        if target in _ROW_REDUCTIONS:
            return self._reduction(node)
        if target is _CONVOLUTION:
            return self._convolution(node)
        return self._elementwise(node) if is_elementwise(node) else None

    # What may be called where a node is inserted.

    def call(self, target: object, *args: object, **kwargs: object) -> fx.Node:
        """A new node at the insertion point, with its fake tensor."""
        assert isinstance(target, torch._ops.OpOverload)
        node = self.graph.call_function(target, args, kwargs)  # type: ignore[arg-type]
        with self._mode:
            node.meta["val"] = target(*mapped(args, value_of), **mapped(kwargs, value_of))
        self._note(node)
        return node

    def _note(self, node: fx.Node) -> None:
        """What is made of weights alone is one."""
        if node.all_input_nodes and all(argument in self._weights for argument in node.all_input_nodes):
            self._weights.add(node)

    def reshaped(self, node: fx.Node, shape: Sequence[int]) -> fx.Node:
        """`node` in another shape of as many elements."""
        while node.target is VIEW:
            node = source(node)
        return node if shape_of(node) == tuple(shape) else self.call(VIEW, node, list(shape))

    def permuted(self, node: fx.Node, order: Sequence[int]) -> fx.Node:
        """`node` with its dimensions in another order."""
        shape = shape_of(node)
        result = [shape[d] for d in order]
        long = [d for d, size in enumerate(shape) if size != 1]
        turn = [long.index(d) for d in order if shape[d] != 1]
        base = _without_unit_views(node)
        while base.target is PERMUTE:
            inner = _order(base)
            turn = [inner[d] for d in turn]
            base = _without_unit_views(source(base))
        if turn == sorted(turn):
            return self.reshaped(base, result)
        small = self.reshaped(base, long_dims(shape_of(base)))
        return self.reshaped(self.call(PERMUTE, small, turn), result)

    # Rewrites of one node.

    def _selection(self, node: fx.Node) -> fx.Node | None:
        """Select first, permute what is left."""
        shape = shape_of(source(node))
        dim, index = integer(node, 1) % len(shape), integer(node, 2)
        base = _without_unit_views(source(node))
        if shape[dim] == 1:
            return self.reshaped(source(node), shape_of(node))
        if base.target is not PERMUTE:
            return None
        order = _order(base)
        chosen = order[sum(size != 1 for size in shape[:dim])]
        left = [d - (d > chosen) for d in order if d != chosen]
        selected = self.call(aten.select.int, source(base), chosen, index)
        return self.reshaped(self.permuted(selected, left), shape_of(node))

    def _reduction(self, node: fx.Node) -> fx.Node | None:
        """A reduction along rows of `view(a)` becomes one of `a`'s."""
        view = source(node)
        rank = len(shape_of(view))
        if (
            view.target is not VIEW
            or not _by_rows(view)
            or [d % rank for d in integers(node, 1)] != [rank - 1]
        ):
            return None
        inner = source(view)
        last = [len(shape_of(inner)) - 1]
        return self.reshaped(
            self.call(node.target, inner, last, *node.args[2:], **node.kwargs), shape_of(node)
        )

    def _convolution(self, node: fx.Node) -> fx.Node | None:
        """Without its bias, which is added to the result: the sum starts from zero, not from a copy."""
        bias = node.args[2]
        if not isinstance(bias, fx.Node):
            return None
        alone = self.call(node.target, node.args[0], node.args[1], None, *node.args[3:])
        return self.call(_PLUS, alone, self._by_channel(bias, alone))

    def _by_channel(self, vector: fx.Node, result: fx.Node) -> fx.Node:
        return self.reshaped(vector, [*shape_of(vector), *(1,) * (len(shape_of(result)) - 2)])

    def _elementwise(self, node: fx.Node) -> fx.Node | None:
        """`f(view(a), b)` becomes `view(f(a, view(b)))`."""
        if tensor_of(node).dtype == torch.float32:
            # As the op itself does; a constant that needs no rounding is folded.
            node.args = tuple(_rounded(a) if isinstance(a, float) else a for a in node.args)
        if node.target is _TIMES and (scaled := self._scaled(node)) is not None:
            return scaled
        shape = shape_of(node)
        views = (a for a in node.all_input_nodes if a.target is VIEW and shape_of(a) == shape and _by_rows(a))
        view = next(views, None)
        if view is None:
            return None
        inner = shape_of(source(view))
        moved: dict[fx.Node, fx.Node] = {}
        for argument in node.all_input_nodes:
            wanted = _in_rows(shape_of(argument), shape, inner)
            if wanted is None:
                return None
            moved[argument] = self.reshaped(argument, wanted)
        return self.reshaped(self._with(node, moved), shape)

    def _with(self, node: fx.Node, moved: Mapping[fx.Node, fx.Node]) -> fx.Node:
        args, kwargs = mapped((node.args, node.kwargs), lambda argument: moved[argument])
        return self.call(node.target, *args, **kwargs)

    def _scaled(self, node: fx.Node) -> fx.Node | None:
        """A convolution times weights, one a channel, has these in its filters; its bias is scaled, too."""
        if len(node.args) != 2 or not all(isinstance(argument, fx.Node) for argument in node.args):
            return None
        scaled, factor = source(node), source(node, 1)
        if factor not in self._weights:
            scaled, factor = factor, scaled
        if factor not in self._weights or scaled in self._weights or len(scaled.users) != 1:
            return None
        shape = shape_of(factor)
        if scaled.target is _PLUS and scaled.kwargs == {} and len(scaled.args) == 2:
            addend = scaled.args[1]
            if not isinstance(addend, fx.Node) or addend not in self._weights or shape_of(addend) != shape:
                return None
            product = self._in_filters(source(scaled), factor)
            return product and self.call(_PLUS, product, self.call(_TIMES, addend, factor))
        return self._in_filters(scaled, factor)

    def _in_filters(self, node: fx.Node, factor: fx.Node) -> fx.Node | None:
        if node.target is not _CONVOLUTION or len(node.users) != 1 or node.args[2] is not None:
            return None
        filters, is_transposed = source(node, 1), bool(node.args[6])
        channels = shape_of(node)[1]
        shape, rank = shape_of(factor), len(shape_of(node))
        by_channel = (
            len(shape) in (rank - 1, rank)
            and shape[1 - rank] == channels == math.prod(shape)
            and tensor_of(factor).dtype == tensor_of(filters).dtype
        )
        if is_transposed or filters not in self._weights or not by_channel:
            return None
        wide = self.reshaped(factor, [channels, *(1,) * (len(shape_of(filters)) - 1)])
        return self.call(node.target, node.args[0], self.call(_TIMES, filters, wide), *node.args[2:])


def is_elementwise(node: fx.Node) -> bool:
    """Whether the node computes each element of one tensor from those of its operands, broadcast."""
    target = node.target
    return (
        isinstance(target, torch._ops.OpOverload)
        and torch.Tag.pointwise in target.tags
        and all(isinstance(value_of(n), Tensor) for n in (node, *node.all_input_nodes))
    )


def _without_unit_views(node: fx.Node) -> fx.Node:
    """What a node is a view of that differs only by dimensions of one element."""
    while node.target is VIEW and long_dims(shape_of(node)) == long_dims(shape_of(source(node))):
        node = source(node)
    return node


def _by_rows(view: fx.Node) -> bool:
    """Whether a reshape leaves the last dimension, and has no fewer dimensions than what it reshapes."""
    inner, outer = shape_of(source(view)), shape_of(view)
    return 0 < len(inner) <= len(outer) and inner[-1:] == outer[-1:]


def _in_rows(shape: tuple[int, ...], outer: tuple[int, ...], inner: tuple[int, ...]) -> list[int] | None:
    """The shape of an operand broadcast to `outer`, once that is reshaped to `inner`, or None."""
    if math.prod(shape) == 1:
        return [1] if shape else []  # types are promoted by what has dimensions
    if shape == outer:
        return list(inner)
    if shape[-1] == outer[-1] == math.prod(shape):
        return [shape[-1]]
    if shape[:-1] == outer[:-1] and shape[-1] == 1:
        return [*inner[:-1], 1]
    return None


def _order(node: fx.Node) -> list[int]:
    rank = len(shape_of(source(node)))
    if node.target is PERMUTE:
        return [d % rank for d in integers(node, 1)]
    order = list(range(rank))
    if node.target is aten.t.default:
        return order[::-1]
    one, other = integer(node, 1) % rank, integer(node, 2) % rank
    order[one], order[other] = order[other], order[one]
    return order


def _rounded(value: float) -> float:
    """To single precision; infinite where it is too large."""
    try:
        (rounded,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        return math.copysign(math.inf, value)
    return float(rounded)
