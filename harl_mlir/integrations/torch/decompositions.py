"""How composite ATen ops are taken apart before a graph is imported.

torch-mlir's table, but for ops of which another form gives tasks that can be tuned: no scaling of a
product by one, no statistics in double precision, no index beside a maximum, and attention whose
softmax divides rows of the result rather than of the scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from harl_mlir.integrations.torch.nodes import aten

_Outputs = tuple[Tensor, Tensor, Tensor]


@cache
def decomposition_table() -> dict[Any, Callable[..., Any]]:
    """The decompositions by operator overload."""
    from torch._decomp import get_decompositions
    from torch_mlir.extras.fx_decomp_util import get_decomposition_table

    table = dict(get_decomposition_table())
    table.update(get_decompositions([aten.silu, aten.hardtanh, aten.leaky_relu, aten.elu]))
    for kept in (aten.relu.default, aten.sigmoid.default, aten.gelu.default, aten.embedding.default):
        table.pop(kept, None)
    table.update(_OURS)
    return table


def _addmm(bias: Tensor, left: Tensor, right: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    product: Tensor = aten.mm(left, right)
    if alpha != 1:
        product = product * alpha
    return product + (bias if beta == 1 else bias * beta)


def _baddbmm(bias: Tensor, left: Tensor, right: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    product: Tensor = aten.bmm(left, right)
    if alpha != 1:
        product = product * alpha
    return product + (bias if beta == 1 else bias * beta)


def _layer_norm(
    x: Tensor, shape: list[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> _Outputs:
    dims = list(range(x.dim() - len(shape), x.dim()))
    count = math.prod(shape)
    mean = aten.sum.dim_IntList(x, dims, True) / count
    apart = x - mean
    variance = aten.sum.dim_IntList(apart * apart, dims, True) / count
    scale = aten.rsqrt(variance + eps)
    result = apart * scale
    if weight is not None:
        result = result * weight
    if bias is not None:
        result = result + bias
    return result, mean, scale


def _batch_norm(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    momentum: float,
    eps: float,
) -> _Outputs:
    scale = aten.rsqrt(variance + eps)
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias
    channels = [-1, *(1,) * (x.dim() - 2)]
    result = x * aten.view(scale, channels) + aten.view(shift, channels)
    return result, x.new_empty([0]), x.new_empty([0])


def _softmax(x: Tensor, dim: int, half_to_float: bool) -> Tensor:
    if half_to_float:
        x = x.float()
    if not x.dim():
        return torch.ones_like(x)
    powers: Tensor = aten.exp(x - aten.amax(x, [dim], True))
    total: Tensor = aten.sum.dim_IntList(powers, [dim], True)
    return powers / total


def _attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    attn_mask: Tensor | None = None,
    scale: float | None = None,
) -> tuple[Tensor, Tensor]:
    if dropout_p or query.size(1) != key.size(1):
        return cast(tuple[Tensor, Tensor], NotImplemented)  # torch keeps the op then, and it is refused
    factor = scale if scale is not None else 1 / math.sqrt(query.size(-1))
    scores = _product(query, aten.transpose(key, -2, -1))
    mask = _mask(query, key, attn_mask, is_causal)
    if mask is not None or factor <= 0:
        scores = scores * factor
        factor = 1.0
    if mask is not None:
        scores = scores + mask
    largest = aten.amax(scores, [-1], True)
    if mask is not None:
        # A row without a column left is a row of zeros.
        largest = aten.where(largest == -math.inf, 0.0, largest)
    apart = scores - largest
    powers = aten.exp(apart if factor == 1.0 else apart * factor)
    total = aten.sum.dim_IntList(powers, [-1], True)
    if mask is not None:
        total = aten.where(total == 0, 1.0, total)
    result: Tensor = _product(powers, value) / total
    # Laid out in memory as the op itself does it: what follows may be a view.
    result = aten.permute(aten.permute(result, [2, 0, 1, 3]).contiguous(), [1, 2, 0, 3])
    logarithm: Tensor = aten.log(total) + largest * factor
    return result, logarithm.squeeze(-1)


def _encoder_layer(
    x: Tensor,
    width: int,
    heads: int,
    qkv_weight: Tensor,
    qkv_bias: Tensor,
    out_weight: Tensor,
    out_bias: Tensor,
    use_gelu: bool,
    norm_first: bool,
    eps: float,
    weight_1: Tensor,
    bias_1: Tensor,
    weight_2: Tensor,
    bias_2: Tensor,
    wide_weight: Tensor,
    wide_bias: Tensor,
    narrow_weight: Tensor,
    narrow_bias: Tensor,
    mask: Tensor | None = None,
    mask_type: int | None = None,
) -> Tensor:
    """What `nn.TransformerEncoderLayer` calls for inference."""
    if mask is not None or x.dim() != 3:
        return cast(Tensor, NotImplemented)

    def attended(x: Tensor) -> Tensor:
        split = functional.linear(x, qkv_weight, qkv_bias).view(*x.shape[:2], 3, heads, width // heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        found = functional.scaled_dot_product_attention(query, key, value)
        return functional.linear(found.transpose(1, 2).reshape(x.shape), out_weight, out_bias)

    def fed_forward(x: Tensor) -> Tensor:
        wide = functional.linear(x, wide_weight, wide_bias)
        return functional.linear(
            functional.gelu(wide) if use_gelu else wide.relu(), narrow_weight, narrow_bias
        )

    def normalised(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return functional.layer_norm(x, (width,), weight, bias, eps)

    if norm_first:
        x = x + attended(normalised(x, weight_1, bias_1))
        return x + fed_forward(normalised(x, weight_2, bias_2))
    x = normalised(x + attended(x), weight_1, bias_1)
    return normalised(x + fed_forward(x), weight_2, bias_2)


def _mask(query: Tensor, key: Tensor, given: Tensor | None, is_causal: bool) -> Tensor | None:
    """What is added to scores: zero, or minus infinity where nothing may be attended to."""
    if is_causal:
        given = torch.ones(query.size(-2), key.size(-2), dtype=torch.bool, device=query.device).tril()
    if given is None or given.dtype != torch.bool:
        return given
    mask: Tensor = aten.where(given, 0.0, -math.inf)
    return mask.to(query.dtype)


def _product(left: Tensor, right: Tensor) -> Tensor:
    *batch, rows, inner = left.shape
    columns = right.size(-1)
    count = math.prod(batch)
    product: Tensor = aten.bmm(left.reshape(count, rows, inner), right.reshape(count, inner, columns))
    return product.view(*batch, rows, columns)


_OURS: dict[Any, Callable[..., Any]] = {
    aten.addmm.default: _addmm,
    aten.baddbmm.default: _baddbmm,
    aten.native_layer_norm.default: _layer_norm,
    aten._native_batch_norm_legit_no_training.default: _batch_norm,
    aten._softmax.default: _softmax,
    aten._scaled_dot_product_flash_attention_for_cpu.default: _attention,
    aten._transformer_encoder_layer_fwd.default: _encoder_layer,
}
