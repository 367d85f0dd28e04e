"""Reading the nodes of a graph of ATen ops: their shapes and arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, fx
from torch.fx.node import Argument

aten: Any = torch.ops.aten

_Value = TypeVar("_Value")


def value_of(node: fx.Node) -> object:
    """The fake value of a node: a tensor, or a tuple of them; None where there is none."""
    return node.meta.get("val")


def tensor_of(node: fx.Node) -> Tensor:
    """The fake tensor of a node that has one."""
    return cast(Tensor, node.meta["val"])


def shape_of(node: fx.Node) -> tuple[int, ...]:
    """The static shape of a node's tensor."""
    return tuple(int(size) for size in tensor_of(node).shape)


def source(node: fx.Node, number: int = 0) -> fx.Node:
    """The node that is argument `number`."""
    argument = node.args[number]
    assert isinstance(argument, fx.Node)
    return argument


def integer(node: fx.Node, number: int) -> int:
    """The integer that is argument `number`."""
    return int(cast(int, node.args[number]))


def integers(node: fx.Node, number: int) -> list[int]:
    """The list of integers that is argument `number`; empty where it is missing or None."""
    given = node.args[number] if number < len(node.args) else None
    return [int(i) for i in cast(Sequence[int], given or ())]


def mapped(argument: _Value, function: Callable[[fx.Node], object]) -> _Value:
    """An argument, or a tuple or dictionary of them, with nodes replaced by what `function` gives."""
    return cast(_Value, fx.map_arg(cast(Argument, argument), cast(Callable[[fx.Node], Argument], function)))


def long_dims(shape: Sequence[int]) -> list[int]:
    """The sizes but those of one."""
    return [size for size in shape if size != 1]
