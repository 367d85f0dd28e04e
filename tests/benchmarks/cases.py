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
OPERATIONS: dict[str, Fields] = {
    **{op: ROWS | {"op": op} for op in (
        "softmax", "log_softmax", "logsumexp", "variance", "layer_norm", "rms_norm", "argmax"
    )},
    **{op: ELEMENTWISE | {"op": op} for op in (
        "exp", "tanh", "sigmoid", "silu", "gelu_erf", "gelu_tanh", "add_relu", "bias_add"
    )},
}  # fmt: skip
"""Every operation without multiply-adds."""


def case_of(fields: Fields, **changes: object) -> Case:
    """A case of these fields, some of them changed."""
    return make_case({**fields, **changes})
