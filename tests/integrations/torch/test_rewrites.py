"""Decompositions and rewrites of graphs keep what they compute; nothing is compiled here."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn
from torch._functorch.aot_autograd import aot_function, make_boxed_func
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.functional import scaled_dot_product_attention

from harl_mlir.integrations.torch.decompositions import decomposition_table
from harl_mlir.integrations.torch.exchange import decode, encode
from harl_mlir.integrations.torch.nodes import aten
from harl_mlir.integrations.torch.results import lay_out
from harl_mlir.integrations.torch.rewrites import PERMUTE, VIEW, Rewriter
from harl_mlir.integrations.torch.weights import part
from tests.integrations.torch.models import Block, cnn, mlp


def traced(function: Callable[..., object], *inputs: Tensor) -> fx.GraphModule:
    """The functional graph of a function, with static fake tensors; it gives a list or a tuple."""
    graphs: list[fx.GraphModule] = []

    def keep(gm: fx.GraphModule, example_inputs: object) -> Callable[..., object]:
        graphs.append(copy.deepcopy(gm))
        return make_boxed_func(gm.forward)

    aot_function(function, keep, inference_compiler=keep, decompositions=decomposition_table())(*inputs)
    (graph,) = graphs
    return graph


def as_function(model: nn.Module) -> tuple[Callable[..., Tensor], tuple[Tensor, ...]]:
    """A model as a function of its input and its weights, and these."""
    names, weights = zip(*[*model.named_parameters(), *model.named_buffers()], strict=True)

    def call(x: Tensor, *given: Tensor) -> Tensor:
        return torch.func.functional_call(model, dict(zip(names, given, strict=True)), (x,))

    return call, weights


def mode_of(module: fx.GraphModule) -> FakeTensorMode:
    return next(iter(module.graph.nodes)).meta["val"].fake_mode


def rewritten(module: fx.GraphModule, weights: int = 0) -> fx.GraphModule:
    """The graph rewritten; all arguments but the first are weights if `weights`."""
    placeholders = [node for node in module.graph.nodes if node.op == "placeholder"]
    Rewriter(module, mode_of(module), placeholders[1:] if weights else ()).run()
    module.recompile()
    return module


def count(graph: fx.Graph, *targets: object) -> int:
    return sum(node.target in targets for node in graph.nodes)


ATTENTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "causal": {"is_causal": True},
    "scaled": {"scale": -0.7},
}
MASKS = {
    "added": torch.linspace(-2, 2, 35).reshape(5, 7),
    "masked": torch.arange(35).reshape(5, 7) % 3 > 0,
    "without a column": torch.arange(5)[:, None].expand(5, 7) > 0,
}


@pytest.mark.parametrize("how", [*ATTENTIONS, *MASKS])
def test_attention_is_taken_apart(how: str) -> None:
    inputs = [torch.randn(2, 3, 5, 8), torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 8)]
    inputs += [MASKS[how]] if how in MASKS else []

    def attend(*x: Tensor) -> Tensor:
        return scaled_dot_product_attention(*x, **ATTENTIONS.get(how, {}))

    wanted = attend(*inputs)
    graph = traced(attend, *inputs)
    assert not any("attention" in str(node.target) for node in graph.graph.nodes)
    torch.testing.assert_close(graph(*inputs)[0], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_the_fused_encoder_layer_is_taken_apart(norm_first: bool, activation: str) -> None:
    layer = nn.TransformerEncoderLayer(
        16, 4, 24, batch_first=True, norm_first=norm_first, activation=activation
    ).eval()
    x = torch.randn(2, 5, 16)
    call, weights = as_function(layer)
    graph = traced(call, x, *weights)
    assert not any("encoder" in str(node.target) for node in graph.graph.nodes)
    torch.testing.assert_close(graph(x, *weights)[0], layer(x), rtol=1e-5, atol=1e-5)


MODELS = {
    "mlp": (mlp, (7, 24)),
    "cnn": (cnn, (3, 3, 10, 10)),
    "block": (lambda: Block(causal=True).eval(), (2, 9, 32)),
    "one row": (lambda: Block().eval(), (1, 9, 32)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_graph_computes_the_same_in_two_parts_and_after_its_way_through_json(name: str) -> None:
    make, shape = MODELS[name]
    model, x = make(), torch.randn(shape)
    call, weights = as_function(model)
    module = traced(call, x, *weights)
    wanted = model(x)
    rewriter = Rewriter(module, mode_of(module), [n for n in module.graph.nodes if n.op == "placeholder"][1:])
    (output,) = (node for node in module.graph.nodes if node.op == "output")
    promised = tuple(output.args[0])
    rewriter.run()
    results, places = lay_out(rewriter, promised)
    assert places == (0,)
    assert results[0].strides == wanted.stride()
    parted = part(module, range(1, len(weights) + 1))
    assert parted.weights is not None
    arguments = [x, *weights]
    given = [arguments[number] for number in parted.arguments] + parted.weights.of(arguments)
    data = json.loads(json.dumps(encode(parted.body.graph)))
    again = fx.GraphModule({}, decode(data, FakeTensorMode()))
    (found,) = again(*given)
    torch.testing.assert_close(found, wanted, rtol=2e-5, atol=2e-6)
    # No weight is turned, and no normalisation is left in what is called.
    assert count(again.graph, aten.rsqrt.default) == (2 if "LayerNorm" in str(model) else 0)
    assert not any(n.target is PERMUTE and n.args[0].op == "placeholder" for n in again.graph.nodes)


def test_bias_activation_and_residual_stand_on_the_product() -> None:
    def layer(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return x + torch.relu(nn.functional.linear(x, weight, bias))

    x, weight, bias = torch.randn(2, 5, 8), torch.randn(8, 8), torch.randn(8)
    graph = rewritten(traced(layer, x, weight, bias)).graph
    product = next(node for node in graph.nodes if node.target is aten.mm.default)
    chain = [product]
    while chain[-1].target is not VIEW:
        (user,) = chain[-1].users
        chain.append(user)
    called = [node.target for node in chain]
    assert called == [aten.mm.default, aten.add.Tensor, aten.relu.default, aten.add.Tensor, VIEW]


def test_permutations_are_joined_and_selections_come_first() -> None:
    def turned(x: Tensor) -> Tensor:
        return x.permute(2, 0, 1, 3)[1].transpose(0, 1).contiguous().transpose(0, 1) * 2

    x = torch.randn(3, 4, 5, 6)
    graph = rewritten(traced(turned, x))
    assert count(graph.graph, PERMUTE) == 0
    torch.testing.assert_close(graph(x)[0], turned(x))


def test_factors_stay_outside_filters_where_arithmetic_is_kept() -> None:
    model = cnn()
    call, weights = as_function(model)
    x = torch.randn(2, 3, 8, 8)
    kept = rewritten(traced(call, x, *weights))
    folded = rewritten(traced(call, x, *weights), weights=True)

    def image_sized(module: fx.GraphModule) -> int:
        return sum(
            n.target is aten.mul.Tensor and n.meta["val"].dim() == 4 and n.meta["val"].shape[0] == 2
            for n in module.graph.nodes
        )

    assert (image_sized(kept), image_sized(folded)) == (2, 0)
    torch.testing.assert_close(kept(x, *weights)[0], model(x), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(folded(x, *weights)[0], model(x), rtol=1e-5, atol=1e-6)
