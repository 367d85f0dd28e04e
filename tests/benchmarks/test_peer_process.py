import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import peer_process
from benchmarks.peer_process import CONTENDERS, Built, PeerError, PeerProcess, Unavailable, peer_environment
from tests.benchmarks.cases import MATMUL

HERE = Path(sys.prefix)
CASE = MATMUL | {"m": 3, "n": 5, "k": 4, "epilogue": "bias_relu"}


def files(folder: Path, *arrays: np.ndarray) -> list[Path]:
    paths = [folder / f"{number}.npy" for number in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array)
    return paths


def operands() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.random(shape, dtype=np.float32) - np.float32(0.5) for shape in ((4, 3), (4, 5), (5,))]


def load(peer: PeerProcess, folder: Path, case: dict, inputs: list[Path]) -> Built | Unavailable:
    return peer.load(case, folder / "kernel.mlir", inputs, folder / "out.npy", folder)


def test_a_case_is_built_checked_and_timed(tmp_path: Path) -> None:
    left, right, bias = operands()
    case = CASE | {"a_transposed": True}
    with PeerProcess(HERE, "numpy", None) as peer:
        assert peer.version == np.__version__
        loaded = load(peer, tmp_path, case, files(tmp_path, left, right, bias))
        assert isinstance(loaded, Built)
        expected = np.maximum(left.T.astype(float) @ right + bias, 0)
        np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-6)
        seconds = peer.sample(3, sample_seconds=1e-4)
        assert len(seconds) <= 3
        assert all(0 < second < 0.1 for second in seconds)


def test_what_a_library_lacks_is_told_from_what_failed(tmp_path: Path) -> None:
    inputs = files(tmp_path, *operands())
    with PeerProcess(HERE, "numpy", None) as peer:
        lacking = load(peer, tmp_path, {"kind": "conv"}, inputs)
        assert lacking == Unavailable("NumPy has no convolution of several channels.", unsupported=True)
        failed = load(peer, tmp_path, CASE, inputs)  # 4x3 times 4x5
        assert isinstance(failed, Unavailable)
        assert not failed.unsupported
        assert failed.reason.startswith("ValueError: matmul: ")
        with pytest.raises(PeerError, match="No case is loaded"):
            peer.sample(1)


def test_a_peer_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    left = np.ones((600, 600), np.float32)
    with PeerProcess(HERE, "numpy", None) as peer:
        assert isinstance(load(peer, tmp_path, CASE | {"epilogue": ""}, files(tmp_path, left, left)), Built)
        with pytest.raises(PeerError, match=r"took longer than 0\.1 s"):
            peer.sample(100, sample_seconds=1.0, limit_seconds=0.1)
        with pytest.raises(PeerError, match="was ended before"):
            peer.sample(1)


def states(peer: PeerProcess) -> set[str]:
    """What its threads are doing, as Linux has it."""
    stats = Path(f"/proc/{peer._process.pid}/task").glob("*/stat")
    return {stat.read_text().rpartition(")")[2].split()[0] for stat in stats}


def test_a_peer_that_is_stopped_waits_and_goes_on(tmp_path: Path) -> None:
    left, right, bias = operands()
    case = CASE | {"a_transposed": True, "threads": 2}
    with PeerProcess(HERE, "numpy", None, threads=2) as peer:
        assert isinstance(load(peer, tmp_path, case, files(tmp_path, left, right, bias)), Built)
        peer.pause()
        until = time.monotonic() + 10
        while states(peer) != {"T"}:
            assert time.monotonic() < until
        peer.resume()
        assert len(peer.sample(2, sample_seconds=1e-4)) > 0
        peer.pause()  # one that is stopped is ended all the same


def test_a_peer_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="does not start"):
        PeerProcess(tmp_path / "nowhere", "numpy", None)
    (tmp_path / "bin").mkdir()
    interpreter = tmp_path / "bin" / "python"
    interpreter.write_text("#!/bin/sh\necho 'no such module' >&2\nexit 3\n")
    interpreter.chmod(0o755)
    with pytest.raises(PeerError, match="numpy ended with status 3: no such module"):
        PeerProcess(tmp_path, "numpy", None)


def test_presets_of_numeric_libraries_do_not_reach_a_peer() -> None:
    given = {"OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "8", "HOME": "/h", "PYTHONPATH": "/p"}
    kept = peer_environment(given)
    assert "OPENBLAS_CORETYPE" not in kept
    assert "PYTHONPATH" not in kept
    assert kept["OMP_NUM_THREADS"] == "1"
    assert peer_environment(given, threads=2)["OMP_NUM_THREADS"] == "2"
    assert kept["HOME"] == "/h"
    assert kept["MALLOC_MMAP_MAX_"] == "0"  # freed memory serves the next call
    assert kept["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"  # with pages as large as our operands have


def test_every_contender_has_a_program() -> None:
    folder = Path(peer_process.__file__).parent / "peers"
    assert all((folder / kind.program).is_file() for kind in CONTENDERS.values())


def test_what_a_contender_is_not_asked_for() -> None:
    assert CONTENDERS["iree_data_tiling"].is_asked_for(MATMUL)
    assert not CONTENDERS["torch_channels_last"].is_asked_for(MATMUL)
    tuned = CONTENDERS["metaschedule"]
    assert tuned.is_asked_for(MATMUL)
    assert not any(
        tuned.is_asked_for(MATMUL | other)
        for other in ({"element": "bf16"}, {"threads": 2}, {"epilogue": "bias_gelu"}, {"kind": "rows"})
    )


def test_stored_results_are_json() -> None:
    folder = Path(peer_process.__file__).parent / "results" / "metaschedule"
    for path in folder.glob("*.json"):
        stored = json.loads(path.read_text())
        assert stored["trials"] == 64
        assert stored["trace"]
