"""Nests are measured and recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harl_mlir.looptune.collect import Collector
from harl_mlir.looptune.problems import Matmul, module
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.nest import LoopNest, parse
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import rules_for
from harl_mlir.tasks.task import Task
from tests.looptune.landscapes import HERE, PEAK, record

Problems = list[tuple[Task, NestRules, float]]


@pytest.fixture(scope="module")
def problems(pool: Pool) -> Problems:
    tasks = pool.analyse(module((Matmul(64, 64, 64), Matmul(16, 32, 48))), "problems").tasks
    rules = [rules_for(task, this_processor()) for task in tasks]
    return [(task, each, 1.0) for task, each in zip(tasks, rules, strict=True) if each is not None]


def test_what_is_measured_is_recorded(pool: Pool, problems: Problems, tmp_path: Path) -> None:
    task, rules, _ = problems[0]
    tile = parse(rules.op.dims, f"0/2 1/{rules.lanes} 2/1 0/1u 1/1v")
    with Database(tmp_path / "m.db") as database:
        collector = Collector(pool, database, problems, PEAK, seed=3)
        share = collector.measure(task, rules, tile)
        assert share > 0
        (found,) = database.records(task.key, HERE)
        assert found.candidate.word("nest") == tile.text()
        assert (found.stage, found.agent, found.seed) == ("trial", "looptune", 3)
        assert found.measurement.seconds == pytest.approx(task.flops / share / PEAK)
        assert [each.key for each in database.tasks()] == [task.key]
        collector.run(0.5, [((task, rules), tile)], lambda line: None)
        each = [record for task, _, _ in problems for record in database.records(task.key, HERE)]
        assert collector.measured == len(each) == database.count() > 1
        for of_task, of_rules, _ in problems:
            for record in database.records(of_task.key, HERE):
                assert of_rules.is_legal(parse(of_rules.op.dims, record.candidate.word("nest")))


class Fake:
    """A pool in which every nest fails, or takes as long as the others; and a clock that ticks for each."""

    def __init__(self, seconds: float | None) -> None:
        self.asked: list[tuple[str, str]] = []
        self._seconds = seconds

    def measure(self, task: Task, candidate: Candidate, cap: float) -> Measurement:
        self.asked.append((task.key, candidate.word("nest")))
        return Measurement(seconds=self._seconds) if self._seconds else failed("crash", "planted")

    def monotonic(self) -> float:
        return float(len(self.asked))

    def time(self) -> float:
        return 1.0


def collected(
    monkeypatch: pytest.MonkeyPatch,
    database: Database,
    problems: Sequence[tuple[Task, NestRules, float]],
    wanted: Sequence[tuple[tuple[Task, NestRules], LoopNest]] = (),
    seconds: float | None = 1.0,
    told: Callable[[str], None] = lambda line: None,
    seed: int = 0,
) -> list[tuple[str, str]]:
    """The workload keys and nests of 300 measurements."""
    pool = Fake(seconds)
    monkeypatch.setattr("harl_mlir.looptune.collect.time", pool)
    Collector(pool, database, problems, PEAK, seed).run(300, wanted, told)
    assert len(pool.asked) == 300
    return pool.asked


def test_goes_on_where_everything_fails(
    problems: Problems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harl_mlir.looptune.collect._TELL", 150)
    lines: list[str] = []
    with Database(tmp_path / "m.db") as database:
        collected(monkeypatch, database, problems, seconds=None, told=lines.append)
        assert database.count() == 300
    assert lines == [f"{n} nests measured; the best share of the peak 0.000" for n in (150, 300)]


def test_what_was_good_before_is_carried_over(
    problems: Problems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two problems the first is never drawn, but its loops are tried on the second."""
    (task, rules, _), other = problems
    tile = parse(rules.op.dims, "0/4 1/16 2/1 0/1u 1/1v")
    shares = []
    for held in (0, 150):
        asked = []
        for seed in range(4):
            with Database(tmp_path / f"{held} {seed}.db") as database:
                database.add_all([record(task, rules, tile, 0.5)] * held)
                asked += collected(monkeypatch, database, [(task, rules, 0.0), other], seed=seed)
        assert {key for key, _ in asked} == {other[0].key}
        alike = [{"0/4", "1/16"} <= {word.rstrip("uv") for word in nest.split()} for _, nest in asked]
        shares.append(sum(alike) / len(alike))
    assert shares[1] > 2 * shares[0]


def test_most_are_what_is_wanted_and_beside_it(
    problems: Problems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (task, rules, _), other = problems
    tile = parse(rules.op.dims, "0/4 1/16 2/1 0/1u 1/1v")
    with Database(tmp_path / "m.db") as database:
        asked = collected(monkeypatch, database, [other], [((task, rules), tile)])
    of_wanted = [nest for key, nest in asked if key == task.key]
    assert 120 < len(of_wanted) < 240
    assert 40 < of_wanted.count(tile.text()) < len(of_wanted)
