"""Problems for tests of the walk, made without MLIR."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import rules_for
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR
from tests.space.sketches.test_contraction_space import conv, matmul

MATMUL = matmul(64, 96, 80)
"""m 64, n 96, k 80."""
CONV = conv(16, 48, 30, 2, first=False)
"""48 filters, 30 places with a stride of two, 16 channels, 3 taps: dimensions f, o, c, t."""


def rules_of(task: Task) -> NestRules:
    """The rules for 16 lanes and 32 registers."""
    rules = rules_for(task, PROCESSOR)
    assert rules is not None
    return rules


def register_share(task: Task, rules: NestRules, nests: Sequence[LoopNest]) -> NDArray[np.float64]:
    """The share of registers that tiles use, as an evaluator."""
    return np.array([rules.register_tile(nest)[0] / rules.registers for nest in nests])
