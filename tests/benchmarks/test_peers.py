"""The peers that this environment has, in a process of their own, on a small case of each kind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peer_process import CONTENDERS, Built, PeerProcess, Unavailable
from benchmarks.theirs import write_case
from tests.benchmarks.cases import (
    CONV,
    FOLLOWED,
    MATMUL,
    MATVEC,
    OPERATIONS,
    TRANSPOSED_CONV,
    TYPED,
    VECMAT,
    case_of,
)

HERE = Path(sys.prefix)
PRODUCTS = {
    "plain": MATMUL,
    "a_transposed": MATMUL | {"a_transposed": True},
    "batch_b_transposed": MATMUL | {"batch": 3, "b_transposed": True},
    "bias_relu": MATMUL | {"epilogue": "bias_relu"},
    "matvec": MATVEC,
    "vecmat": VECMAT,
}
FIRST = CONV | {"layout": "channels_first", "stride": 1}
CONVOLUTIONS = {
    "last": CONV,
    "first_bias_relu": FIRST | {"epilogue": "bias_relu"},
    "last_1d": CONV | {"spatial": [9]},
    "last_3d": CONV | {"spatial": [5, 6, 7]},
    "depthwise_last": CONV | {"filters": 6, "depthwise": True},
    "depthwise_first": FIRST | {"filters": 6, "depthwise": True},
    "grouped_last": CONV | {"groups": 3},
    "grouped_first": FIRST | {"groups": 3},
    "transposed": TRANSPOSED_CONV,
}


CASES = PRODUCTS | CONVOLUTIONS | OPERATIONS | FOLLOWED | TYPED
NUMPYS = {*PRODUCTS, "transpose", "pad", "concat"} | {
    name
    for name, fields in OPERATIONS.items()
    if fields["kind"] in ("rows", "elementwise") and name != "gelu_erf"
}
"""Those that NumPy has a function for."""


@pytest.fixture(scope="module", params=["numpy", "torch", "torch_channels_last"])
def peer(request: pytest.FixtureRequest) -> Iterator[PeerProcess]:
    with PeerProcess(HERE, request.param, None) as process:
        yield process


@pytest.mark.parametrize("name", CASES)
def test_results_are_right(peer: PeerProcess, name: str, tmp_path: Path) -> None:
    case = case_of(CASES[name])
    if not CONTENDERS[peer.contender].is_asked_for(case.fields):
        return
    files = write_case(case, "", tmp_path)
    output = tmp_path / "out.npy"
    loaded = peer.load(dict(case.fields), files.kernel, list(files.inputs), output, tmp_path)
    if peer.contender == "numpy" and name not in NUMPYS:
        assert isinstance(loaded, Unavailable)
        assert loaded.unsupported
    else:
        assert isinstance(loaded, Built), loaded
        assert files.reference.mismatch(np.load(output), case) is None
