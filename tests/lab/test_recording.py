"""Recording a space and reading it back, on known times."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.errors import InputError
from harl_mlir.lab.recorded import encode, load
from harl_mlir.lab.recording import Declared, Journal, identity, record
from harl_mlir.lab.replay_bench import ReplayBench
from harl_mlir.lab.value_lists import thinned
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from tests.lab.planted import KnownBench, known_seconds, make_recording, tiled
from tests.small_task import HERE, matmul_task
from tests.space.sketches.single_op_tasks import PROCESSOR

TASKS = [Declared(matmul_task(), (tiled("a"), tiled("b", 5))), Declared(matmul_task("other", 3), (tiled(),))]


def everything(space: Space) -> list[dict[str, int | str]]:
    names = [d.name for d in space.decisions]
    return [dict(zip(names, v, strict=True)) for v in itertools.product(*(d.values for d in space.decisions))]


def test_every_candidate_is_there_as_it_was_measured(tmp_path: Path) -> None:
    recording = make_recording(tmp_path, KnownBench(), TASKS)
    bench = ReplayBench(recording)
    assert [task.task for task in recording.tasks] == [d.task for d in TASKS]
    assert recording.header.environment == HERE
    for given, recorded in zip(TASKS, recording.tasks, strict=True):
        for space, held in zip(given.spaces, recorded.spaces, strict=True):
            assert held.default() == space.default()
            for values in everything(space):
                candidate = space.candidate(values)
                assert held.is_legal(candidate) == space.is_legal(candidate)
                if not space.is_legal(candidate):
                    continue
                measured, seconds = bench.measure(given.task, candidate), known_seconds(values)
                if seconds is None:
                    assert measured.failure is not None
                    assert measured.failure.kind == "crash"
                else:
                    assert measured.seconds == pytest.approx(seconds, rel=2e-4)
        assert bench.measure(given.task, None).seconds == 0.1
    first, second = recording.tasks
    assert first.points == sum(s.is_legal(s.candidate(v)) for s in TASKS[0].spaces for v in everything(s))
    assert second.best_seconds == pytest.approx(1e-3, rel=2e-4)
    assert second.share_near_best == 1 / second.points
    assert recording.best_seconds == pytest.approx(4e-3, rel=2e-4)
    with pytest.raises(KeyError):
        bench.measure(TASKS[0].task, tiled("gone").default())


def test_an_interrupted_recording_goes_on(tmp_path: Path) -> None:
    bench = KnownBench(interrupt_after=50)
    with pytest.raises(KeyboardInterrupt):
        make_recording(tmp_path, bench, TASKS)
    with (tmp_path / "planted.journal").open("a") as file:
        file.write('{"task":0,"ske')
    again = KnownBench()
    recording = make_recording(tmp_path, again, TASKS)
    assert not set(bench.asked[1:]) & set(again.asked[: recording.tasks[0].points + 1 - 50])
    assert len(bench.asked) + len(again.asked) == 2 + sum(task.points for task in recording.tasks)
    uninterrupted = make_recording(tmp_path, KnownBench(), TASKS, "whole")
    for one, other in zip(recording.tasks, uninterrupted.tasks, strict=True):
        for mine, theirs in zip(one.sketches, other.sketches, strict=True):
            assert np.array_equal(mine.seconds, theirs.seconds)


def test_a_lucky_sample_does_not_decide_what_is_best(tmp_path: Path) -> None:
    lucky = tiled().candidate({"x": 8, "y": 4, "form": "packed"})
    bench = KnownBench(screening_error=lambda c: 0.8 if c == lucky else 1.0, drift=1.01)
    recorded = make_recording(tmp_path, bench, [Declared(matmul_task(), (tiled(),))]).tasks[0]
    best = tiled().candidate({"x": 7, "y": 4, "form": "packed"})
    times = {c: recorded.trial(c)[0].seconds or 0.0 for c in (best, lucky)}
    assert times[best] == recorded.best_seconds
    assert times[lucky] / times[best] == pytest.approx(1.1, rel=1e-3)


def test_a_journal_of_another_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.journal"
    Journal(path, identity("x", TASKS, HERE))
    with pytest.raises(InputError, match="journal is of another recording"):
        Journal(path, identity("x", TASKS[:1], HERE))


def test_a_task_of_which_nothing_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no candidate of matmul 8x8x4 f32 runs"):
        make_recording(tmp_path, KnownBench(seconds=lambda _: None), TASKS)


def test_files_are_compact_reproducible_and_checked(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.journal", identity("a", TASKS, HERE))
    recording = record("a", TASKS, HERE, KnownBench(), journal, lambda _: None)
    data = encode(recording)
    assert data == encode(recording)
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    assert encode(load(path)) == data
    assert len(load(path).digest) == 16
    path.write_bytes(data[:-40])
    with pytest.raises(InputError, match="this is no recorded space"):
        load(path)
    path.write_text("PK no")
    with pytest.raises(InputError, match="this is no recorded space"):
        load(path)
    with pytest.raises(InputError, match="no such recorded space"):
        load(tmp_path / "gone.npz")


def test_replayed_spaces_know_the_loops_of_the_sketches_they_are_of(tmp_path: Path) -> None:
    task = matmul_task()
    spaces = thinned(sketches_for(task, PROCESSOR), 30)
    older = replace(spaces[0], version=spaces[0].version - 1)
    tasks = [Declared(task, (*spaces, older, tiled()))]
    bench = KnownBench(seconds=lambda _: 1e-3)
    (recorded,) = make_recording(tmp_path, bench, tasks, processor=PROCESSOR).tasks
    for given, replayed in zip(spaces, recorded.spaces, strict=False):
        states = Lattice(given).rows([Lattice(given).default])
        rows = SpaceFeatures(task, replayed).nest_rows(states)
        assert rows.any()
        assert (rows == SpaceFeatures(task, given).nest_rows(states)).all()
    assert all(space.nests is None for space in recorded.spaces[len(spaces) :])
    (unknown,) = make_recording(tmp_path, bench, tasks, "unknown").tasks
    assert all(space.nests is None for space in unknown.spaces)
