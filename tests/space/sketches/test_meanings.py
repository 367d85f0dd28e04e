"""Every decision says what it means."""

from __future__ import annotations

import pytest

from harl_mlir.accuracy import ACCURACIES, Accuracy
from harl_mlir.space.nest.space import nest_space
from harl_mlir.space.sketches import sketches_for
from tests.space.sketches.single_op_tasks import PROCESSOR
from tests.space.sketches.test_contraction_space import matmul
from tests.space.sketches.test_spaces import TASKS


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_in_a_line(accuracy: Accuracy) -> None:
    tasks = [*(task for task, _ in TASKS.values()), matmul(96, 80, 50)]
    spaces = [space for task in tasks for space in sketches_for(task, PROCESSOR, accuracy)]
    walked = nest_space(tasks[-1], PROCESSOR)
    assert walked is not None
    for space in [*spaces, walked]:
        for decision in space.decisions:
            assert 10 < len(decision.meaning) <= 110, (space.sketch, decision.name)
            assert not decision.meaning.endswith(".")
