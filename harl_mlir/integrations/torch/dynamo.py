"""The backend that torch calls with a graph: compiled, or in eager mode with a warning that says why."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx
from torch._functorch.aot_autograd import aot_module_simplified
from torch._subclasses.fake_tensor import FakeTensor

from harl_mlir.integrations.torch.compiling import compiled
from harl_mlir.integrations.torch.decompositions import decomposition_table
from harl_mlir.integrations.torch.exchange import check_operator, encode
from harl_mlir.integrations.torch.kernel import Kernel
from harl_mlir.integrations.torch.options import Options
from harl_mlir.integrations.torch.refusal import Refused
from harl_mlir.integrations.torch.results import lay_out
from harl_mlir.integrations.torch.rewrites import Rewriter
from harl_mlir.integrations.torch.weights import part

Function = Callable[..., Any]


class FallbackWarning(UserWarning):
    """A graph runs in eager mode instead of being compiled."""


def backend(
    module: fx.GraphModule,
    inputs: Sequence[Any],
    *,
    options: Mapping[str, Any] | None = None,
    mode: str | None = None,
) -> Function:
    """Compile a graph for this processor: `torch.compile(model, backend="harl_mlir", options={...})`.

    Only inference is compiled. Sizes are taken as they are: other ones are compiled anew. A graph that
    cannot be compiled runs in eager mode, and a FallbackWarning says why.

    Args:
        module, inputs: what torch found, and examples of its arguments.
        options: see `Options`.
        mode: must be None or `default`.

    Raises:
        UsageError: an option, or a value of one, is none.
    """
    chosen = Options.of(options)
    if mode not in (None, "default"):
        warnings.warn(
            f"harl_mlir has no mode {mode!r} and ignores it; use options", FallbackWarning, stacklevel=2
        )
    try:
        return _compiled(module, inputs, chosen)
    except Refused as refusal:
        warnings.warn(f"a graph runs in eager mode, since {refusal}", FallbackWarning, stacklevel=2)
        return module.forward


def _compiled(module: fx.GraphModule, inputs: Sequence[Any], options: Options) -> Function:
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        raise Refused("it needs gradients; call the model under torch.no_grad() or torch.inference_mode()")
    _specialise(module, inputs)
    fixed = _static(module, inputs) if options.pack else frozenset()

    def inference(gm: fx.GraphModule, example_inputs: Sequence[object]) -> Function:
        try:
            return _boxed(_kernel(gm, fixed, options))
        except Refused:
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise Refused(f"of an internal error ({what}); please report it") from error

    def training(gm: fx.GraphModule, example_inputs: Sequence[object]) -> Function:
        raise Refused("it needs gradients; call the model under torch.no_grad() or torch.inference_mode()")

    return aot_module_simplified(
        module,
        inputs,
        fw_compiler=training,
        bw_compiler=training,
        inference_compiler=inference,
        decompositions=decomposition_table(),
        keep_inference_input_mutations=False,
    )


def _kernel(module: fx.GraphModule, static: Collection[int], options: Options) -> Kernel:
    placeholders = [node for node in module.graph.nodes if node.op == "placeholder"]
    values = [node.meta.get("val") for node in placeholders]
    fake = next((value for value in values if isinstance(value, FakeTensor)), None)
    if fake is None:
        raise Refused("it takes no tensor")
    weights = [node for number, node in enumerate(placeholders) if number in static]
    exact = options.accuracy == "strict"
    rewriter = Rewriter(module, fake.fake_mode, () if exact else weights)
    for node in module.graph.nodes:
        check_operator(node)
    (output,) = (node for node in module.graph.nodes if node.op == "output")
    promised = tuple(output.args[0])
    rewriter.run()
    results, places = lay_out(rewriter, promised)
    parted = part(module, static)
    data = encode(parted.body.graph)
    return Kernel(compiled(data, options), parted.arguments, parted.weights, results, places)


def _boxed(kernel: Kernel) -> Function:
    def call(arguments: list[Any]) -> list[Any]:
        return kernel(arguments)

    call._boxed_call = True  # type: ignore[attr-defined]
    return call


def _specialise(module: fx.GraphModule, inputs: Sequence[Any]) -> None:
    """Make every size of the arguments one that the graph is compiled for; torch guards it then."""
    for value in inputs:
        if isinstance(value, torch.SymInt | torch.SymFloat):
            int(value)
        elif isinstance(value, Tensor):
            for size in (*value.shape, *value.stride()):
                int(size)


def _static(module: fx.GraphModule, inputs: Sequence[Any]) -> frozenset[int]:
    """Numbers of the arguments that are parameters and buffers of the model."""
    placeholders = [node for node in module.graph.nodes if node.op == "placeholder"]
    return frozenset(
        number
        for number, (node, value) in enumerate(zip(placeholders, inputs, strict=True))
        if isinstance(value, Tensor)
        and not value.is_inference()
        and (isinstance(value, torch.nn.Parameter) or _is_marked(node))
    )


def _is_marked(node: fx.Node) -> bool:
    return "_dynamo_static_input_type" in node.meta.get("tensor_dict", {})
