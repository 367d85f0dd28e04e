"""Small cases that are not in the suite."""

from __future__ import annotations

from typing import Any

from benchmarks.suite import Case, make_case

Fields = dict[str, Any]

_NAMES: Fields = {"name": "small", "class": "small", "quick": False}
MATMUL: Fields = {
    **_NAMES, "kind": "matmul", "m": 5, "n": 7, "k": 9, "batch": 0, "a_transposed": False,
    "b_transposed": False, "epilogue": "",
}  # fmt: skip
MATVEC: Fields = {**_NAMES, "kind": "matvec", "m": 6, "k": 11}
VECMAT: Fields = {**_NAMES, "kind": "vecmat", "k": 6, "n": 11}
CONV: Fields = {
    **_NAMES, "kind": "conv", "batch": 2, "spatial": [9, 8], "channels": 6, "filters": 9, "kernel": 3,
    "stride": 2, "padding": 1, "layout": "channels_last", "groups": 1, "depthwise": False, "epilogue": "",
}  # fmt: skip
TRANSPOSED_CONV: Fields = {
    **_NAMES, "kind": "transposed_conv", "batch": 2, "spatial": [9, 8], "channels": 6, "filters": 9,
    "kernel": 4, "stride": 2, "padding": 1, "layout": "channels_last",
}  # fmt: skip
ROWS: Fields = {**_NAMES, "kind": "rows", "op": "softmax", "rows": 5, "columns": 37}
ELEMENTWISE: Fields = {**_NAMES, "kind": "elementwise", "op": "exp", "rows": 5, "columns": 37}
_MEMORY: Fields = {**_NAMES, "kind": "memory"}
_POOL: Fields = {**_MEMORY, "shape": [2, 7, 9, 5], "kernel": 3, "stride": 2}
_CHAIN: Fields = {**_NAMES, "kind": "chain"}
OPERATIONS: dict[str, Fields] = {
    **{op: ROWS | {"op": op} for op in (
        "softmax", "log_softmax", "logsumexp", "variance", "layer_norm", "rms_norm", "argmax"
    )},
    **{op: ELEMENTWISE | {"op": op} for op in (
        "exp", "tanh", "sigmoid", "silu", "gelu_erf", "gelu_tanh", "add_relu", "bias_add"
    )},
    "transpose": _MEMORY | {"op": "transpose", "shape": [2, 3, 4, 5], "permutation": [0, 2, 3, 1]},
    "pad": _MEMORY | {"op": "pad", "shape": [2, 3, 4], "border": [0, 2, 1]},
    "concat": _MEMORY | {"op": "concat", "shape": [2, 3, 4], "axis": 1, "count": 3},
    "max_pool_last": _POOL | {"op": "max_pool", "layout": "channels_last"},
    "max_pool_first": _POOL | {"op": "max_pool", "layout": "channels_first"},
    "avg_pool_last": _POOL | {"op": "avg_pool", "layout": "channels_last"},
    "avg_pool_first": _POOL | {"op": "avg_pool", "layout": "channels_first"},
    "attention": _CHAIN | {"op": "attention", "heads": 2, "places": 5, "depth": 4},
    "linear_softmax": _CHAIN | {"op": "linear_softmax", "rows": 3, "columns": 5, "features": 6},
    "add_layer_norm": _CHAIN | {"op": "add_layer_norm", "rows": 3, "columns": 7},
}  # fmt: skip
"""Every operation that is no single contraction."""

FOLLOWED: dict[str, Fields] = {
    "bias_gelu": MATMUL | {"epilogue": "bias_gelu"},
    **{
        f"{epilogue}_{layout}": CONV | {"epilogue": epilogue, "layout": layout, "batch": 1}
        for epilogue in ("bias_relu", "bn_relu", "bn_add_relu")
        for layout in ("channels_first", "channels_last")
    },
}
"""Every epilogue."""
TYPED: dict[str, Fields] = {
    "bf16": MATMUL | {"element": "bf16"},
    "bf16_bf16": MATMUL | {"element": "bf16", "result": "bf16"},
    "f16": MATMUL | {"element": "f16"},
    "i8": MATMUL | {"m": 32, "n": 16, "k": 24, "element": "i8", "result": "i32"},
    "conv_bf16": CONV | {"element": "bf16"},
}
"""Every element type; some libraries want multiples of 8 of i8."""


def case_of(fields: Fields, **changes: object) -> Case:
    """A case of these fields, some of them changed."""
    return make_case({**fields, **changes})
