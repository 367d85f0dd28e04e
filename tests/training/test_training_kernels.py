"""The kernels of the training recipe are of many kinds, and none is held out."""

from __future__ import annotations

from benchmarks.training_kernels import checked_kernels


def test_training_kernels_are_many_and_none_is_held_out() -> None:
    names = [name for name, _ in checked_kernels()]
    assert len(set(names)) == len(names) >= 60
    for kind in ("matmul", "conv", "depthwise", "tconv", "matvec", "vecmat", "rows", "columns", "add"):
        assert any(name.startswith(kind) for name in names), kind
