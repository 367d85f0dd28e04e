"""A graph of ATen ops as JSON: what the importer's process is given. Shapes and types, no data."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.node import Argument

from harl_mlir.integrations.torch.nodes import mapped, value_of
from harl_mlir.integrations.torch.refusal import Refused

ELEMENTS = {
    torch.float32: "f32",
    torch.float64: "f64",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.int8: "i8",
    torch.bool: "i1",
}
"""Types of elements that arguments and results may have, as MLIR spells them."""

_NAMESPACES = ("aten", "prims")
_TORCH_VALUES = {
    torch.dtype: "dtype",
    torch.layout: "layout",
    torch.memory_format: "memory_format",
}


def encode(graph: fx.Graph) -> dict[str, Any]:
    """The graph as plain data for JSON.

    Raises:
        Refused: something in it cannot be compiled.
    """
    nodes = []
    for node in graph.nodes:
        entry: dict[str, Any] = {"op": node.op, "name": node.name}
        if node.op == "placeholder":
            entry |= _tensor(node.meta["val"])
        elif node.op == "call_function":
            entry["target"] = _target(node.target)
            entry["args"] = [_encoded(a) for a in node.args]
            entry["kwargs"] = {name: _encoded(a) for name, a in node.kwargs.items()}
        elif node.op == "output":
            entry["args"] = [_encoded(a) for a in node.args[0]]
        else:
            raise Refused(f"it has a node of kind {node.op}, which is not supported")
        nodes.append(entry)
    return {"nodes": nodes}


def decode(data: Mapping[str, Any], mode: FakeTensorMode) -> fx.Graph:
    """The graph of `encode`'s data, with tensors of the fake tensor mode `mode` as meta data.

    Raises:
        ValueError: the data are not a graph's.
    """
    graph = fx.Graph()
    found: dict[str, fx.Node] = {}
    for entry in data["nodes"]:
        if entry["op"] == "placeholder":
            node = graph.placeholder(entry["name"])
            with mode:
                node.meta["val"] = torch.empty(entry["shape"], dtype=getattr(torch, entry["dtype"]))
        elif entry["op"] == "call_function":
            target = _found(entry["target"])
            args = tuple(_decoded(a, found) for a in entry["args"])
            kwargs = {name: _decoded(a, found) for name, a in entry["kwargs"].items()}
            node = graph.call_function(target, args, kwargs)
            with mode:
                node.meta["val"] = target(*mapped(args, value_of), **mapped(kwargs, value_of))
        else:
            graph.output([_decoded(a, found) for a in entry["args"]])
            break
        found[entry["name"]] = node
    return graph


def check_operator(node: fx.Node) -> None:
    """Raises Refused where a node calls what can never be compiled."""
    if node.op == "call_function":
        called = node.args[1] if node.target is torch.ops.higher_order.with_effects else node.target
        _target(called)
        _target(node.target)


def checked(value: object) -> Tensor:
    """A fake tensor that a kernel can take or give. Raises Refused where it cannot."""
    if not isinstance(value, Tensor):
        raise Refused("it takes or gives something that is no tensor")
    if value.device.type != "cpu":
        raise Refused(f"a tensor is on device {value.device}; move model and inputs to the CPU")
    if value.layout != torch.strided or value.is_quantized:
        raise Refused("a tensor is sparse or quantised; use dense tensors")
    if value.dtype not in ELEMENTS:
        names = ", ".join(str(dtype).removeprefix("torch.") for dtype in ELEMENTS)
        raise Refused(f"a tensor has elements of {value.dtype}; use one of {names}")
    if value.numel() == 0:
        raise Refused("a tensor has no elements")
    return value


def _tensor(value: object) -> dict[str, Any]:
    tensor = checked(value)
    return {
        "shape": [int(size) for size in tensor.shape],
        "stride": [int(step) for step in tensor.stride()],
        "dtype": str(tensor.dtype).removeprefix("torch."),
    }


def _target(target: object) -> str:
    if target is operator.getitem:
        return "getitem"
    if isinstance(target, torch._ops.OpOverload) and target.namespace in _NAMESPACES:
        if torch.Tag.nondeterministic_seeded in target.tags:
            raise Refused(f"{target} draws random numbers; leave it out, or call model.eval()")
        return str(target)
    raise Refused(f"there is no way to compile {target}; leave it out of the model")


def _found(name: str) -> Callable[..., Any]:
    if name == "getitem":
        return operator.getitem
    namespace, packet, overload = name.split(".")
    if namespace not in _NAMESPACES:
        raise ValueError(f"no operator {name}")
    found: torch._ops.OpOverload = getattr(getattr(getattr(torch.ops, namespace), packet), overload)
    return found


def _encoded(value: object) -> object:
    if isinstance(value, fx.Node):
        return {"node": value.name}
    if isinstance(value, list | tuple):
        return [_encoded(item) for item in value]
    if isinstance(value, float):
        return {"float": value.hex() if math.isfinite(value) else str(value)}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, torch.SymInt):
        return int(value)
    if isinstance(value, torch.device):
        return {"device": value.type}
    for kind, name in _TORCH_VALUES.items():
        if isinstance(value, kind):
            return {name: str(value).removeprefix("torch.")}
    raise Refused(f"an operator has an argument of type {type(value).__name__}")


def _decoded(value: object, found: Mapping[str, fx.Node]) -> Argument:
    if isinstance(value, list):
        return [_decoded(item, found) for item in value]
    if not isinstance(value, dict):
        assert value is None or isinstance(value, bool | int | str)
        return value
    ((kind, what),) = value.items()
    if kind == "node":
        return found[what]
    if kind == "float":
        return float(what) if what in ("inf", "-inf", "nan") else float.fromhex(what)
    if kind == "device":
        return torch.device(what)
    constant: torch.dtype | torch.layout | torch.memory_format = getattr(torch, what)
    return constant
