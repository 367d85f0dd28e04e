"""The peers that this environment has, in a process of their own, on a small case of each kind."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.inputs import arguments, reference
from benchmarks.peer_process import Built, PeerProcess, Unavailable
from benchmarks.suite import make_case

HERE = Path(sys.prefix)
SHAPE = {"kind": "matmul", "m": 5, "n": 7, "k": 9, "batch": 0}
PRODUCT = SHAPE | {"a_transposed": False, "b_transposed": False, "epilogue": ""}
PRODUCTS: dict[str, dict[str, Any]] = {
    "plain": PRODUCT,
    "a_transposed": PRODUCT | {"a_transposed": True},
    "batch_b_transposed": PRODUCT | {"batch": 3, "b_transposed": True},
    "bias_relu": PRODUCT | {"epilogue": "bias_relu"},
    "matvec": {"kind": "matvec", "m": 6, "k": 11},
    "vecmat": {"kind": "vecmat", "k": 6, "n": 11},
}
WINDOW = {
    "kind": "conv",
    "batch": 2,
    "spatial": [9, 8],
    "channels": 6,
    "filters": 9,
    "kernel": 3,
    "padding": 1,
}
DENSE = WINDOW | {"stride": 2, "layout": "channels_last", "groups": 1, "depthwise": False, "epilogue": ""}
FIRST = DENSE | {"layout": "channels_first", "stride": 1}
CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "last": DENSE,
    "first_bias_relu": FIRST | {"epilogue": "bias_relu"},
    "last_1d": DENSE | {"spatial": [9]},
    "last_3d": DENSE | {"spatial": [5, 6, 7]},
    "depthwise_last": DENSE | {"filters": 6, "depthwise": True},
    "depthwise_first": FIRST | {"filters": 6, "depthwise": True},
    "grouped_last": DENSE | {"groups": 3},
    "grouped_first": FIRST | {"groups": 3},
    "transposed": WINDOW | {"kind": "transposed_conv", "kernel": 4, "stride": 2, "layout": "channels_last"},
}


@pytest.fixture(scope="module", params=["numpy", "torch", "torch_channels_last"])
def peer(request: pytest.FixtureRequest) -> Iterator[PeerProcess]:
    with PeerProcess(HERE, request.param, None) as process:
        yield process


@pytest.mark.parametrize("name", [*PRODUCTS, *CONVOLUTIONS])
def test_results_are_right(peer: PeerProcess, name: str, tmp_path: Path) -> None:
    fields = (PRODUCTS | CONVOLUTIONS)[name] | {"name": name, "class": "small", "quick": False}
    case = make_case(fields)
    given = arguments(case)
    paths = [tmp_path / f"{number}.npy" for number in range(len(given))]
    for path, array in zip(paths, given, strict=True):
        np.save(path, array)
    loaded = peer.load(fields, tmp_path / "kernel.mlir", paths, tmp_path / "out.npy", tmp_path)
    if peer.contender == ("torch_channels_last" if name in PRODUCTS else "numpy"):
        assert isinstance(loaded, Unavailable)
        assert loaded.unsupported
    else:
        assert isinstance(loaded, Built), loaded
        assert reference(case, given).mismatch(np.load(tmp_path / "out.npy"), case) is None
