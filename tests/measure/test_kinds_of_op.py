"""The untuned kernel of every kind of op agrees with the reference, through the real worker."""

from __future__ import annotations

import pytest

from harl_mlir.measure.pool import Pool
from tests.measure.op_kernels import KERNELS


@pytest.mark.parametrize("name", KERNELS)
def test_untuned_kernel_is_right_and_has_a_time(pool: Pool, name: str) -> None:
    analysis = pool.analyse(KERNELS[name], "kernel.mlir")
    assert analysis.tasks
    for task in analysis.tasks:
        measurement = pool.measure(task, None)
        assert measurement.failure is None
        assert measurement.seconds is not None
        assert measurement.best is not None
        assert 0 < measurement.best <= measurement.seconds
