"""The recorded spaces of the package are hard enough to tell search policies apart."""

from __future__ import annotations

import pytest

from harl_mlir.lab.library import shipped
from harl_mlir.lab.recorded import Recording, load

RECORDINGS = [load(path) for path in shipped()]
SINGLE = [recording for recording in RECORDINGS if len(recording.tasks) == 1]
PROGRAMS = [recording for recording in RECORDINGS if len(recording.tasks) > 1]


@pytest.mark.parametrize("recording", SINGLE, ids=lambda recording: recording.name)
def test_few_of_many_candidates_are_near_the_best(recording: Recording) -> None:
    (task,) = recording.tasks
    assert 2_000 <= task.points <= 20_000
    assert task.share_near_best < 0.01
    for space in task.spaces:
        assert space.nests is not None
        measurement, _ = task.trial(space.default())
        assert task.best_seconds < 0.95 * (measurement.seconds or 1.0)


def test_there_are_many_kinds() -> None:
    assert len({recording.tasks[0].task.key for recording in SINGLE}) >= 6
    assert sum(len(recording.tasks[0].spaces) >= 3 for recording in SINGLE) >= 3


def test_a_program_has_weighted_tasks() -> None:
    assert any(
        len(program.tasks) >= 4 and len({task.task.weight for task in program.tasks}) > 1
        for program in PROGRAMS
    )
