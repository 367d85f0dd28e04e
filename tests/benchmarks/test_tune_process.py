"""What is read from a run of `harl-mlir tune`, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.tune_process import TuneError, agent_options, chosen, run_tune, search, trials_of
from harl_mlir.errors import UsageError
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.records.record import UNTUNED, Environment, Record, Stage
from harl_mlir.space.candidate import Candidate

FAST, SLOW = (Candidate("contraction", 1, (("rows", rows),)) for rows in (8, 4))
HERE = Environment("this", (), 1, "1", 1)
STARTED = 1000.0


def record(stage: Stage, candidate: Candidate, seconds: float | None, at: float) -> Record:
    times = Measurement(seconds, seconds, 3, None, 0.1) if seconds else failed("crash", "It ended.")
    return Record("key", candidate, HERE, times, stage, STARTED + at, "harl", 0)


SEARCH = [
    record("untuned", UNTUNED, 9.0, 2.0),
    record("trial", SLOW, 1.0, 2.5),
    record("trial", SLOW, None, 3.0),
    record("trial", FAST, 2.0, 4.0),
]


def test_trials_count_from_the_start_of_the_process() -> None:
    assert trials_of(SEARCH, STARTED) == ((2.5, 1.0), (3.0, None), (4.0, 2.0))


def test_finalists_alone_decide() -> None:
    assert chosen(SEARCH).candidate == SLOW
    assert (
        chosen([*SEARCH, record("final", SLOW, 3.0, 5.0), record("final", FAST, 2.0, 5.0)]).candidate == FAST
    )
    with pytest.raises(TuneError, match="nothing that was tried runs"):
        chosen([record("trial", SLOW, None, 3.0)])


def test_an_agent_may_start_without_weights() -> None:
    assert agent_options("random") == ["--agent", "random"]
    assert agent_options("harl:cold") == ["--agent", "harl", "--weights", "none"]
    with pytest.raises(UsageError, match="nobody"):
        agent_options("nobody")


def test_options_that_are_refused_end_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="-1 trials"):
        run_tune(tmp_path / "kernel.mlir", tmp_path, -1, [])


def test_a_kernel_that_is_refused_is_a_failed_run() -> None:
    with pytest.raises(TuneError):
        search("small", "default/0/1", "func.func @kernel() {", "default", 0, 1)
