"""Row operations are one task, and every candidate of their sketch is right."""

from __future__ import annotations

import pytest

from harl_mlir.measure.pool import Pool
from tests.schedule.sketches import row_kernels as k
from tests.schedule.sketches.legality import assert_legal

_KERNELS = {
    "softmax": k.softmax((12,), 128),
    "softmax of heads": k.softmax((2, 6), 67),
    "softmax of a prime number of long rows": k.softmax((7,), 1009),
    "softmax of short rows": k.softmax((10,), 3),
    "softmax of doubles": k.softmax((6,), 45, "f64"),
    "softmax beside unit dimensions": k.softmax((1, 4, 1), 40),
    "log-sum-exp": k.log_sum_exp((9,), 100),
    "layer norm": k.layer_norm((8,), 768),
    "layer norm of a remainder": k.layer_norm((3, 5), 131),
    "layer norm of doubles": k.layer_norm((4,), 33, "f64"),
    "RMS norm": k.rms_norm((16,), 96),
    "integers": k.distance_from_most((5,), 70),
}


@pytest.mark.parametrize("name", _KERNELS)
def test_row_operations(pool: Pool, name: str) -> None:
    text = _KERNELS[name]
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    assert len(task.members) > 2
    assert assert_legal(pool, text, "rows", 3, 1) == 1


@pytest.mark.parametrize("name", ["softmax of heads", "layer norm of a remainder", "integers"])
def test_row_operations_to_the_bit(strict_pool: Pool, name: str) -> None:
    assert assert_legal(strict_pool, _KERNELS[name], "rows", 2, 1) == 1
