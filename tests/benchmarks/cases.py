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


def case_of(fields: Fields, **changes: object) -> Case:
    """A case of these fields, some of them changed."""
    return make_case({**fields, **changes})
