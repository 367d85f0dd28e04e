"""The tuning loop on recorded times: what is measured, recorded, chosen, and kept when it ends early."""

from __future__ import annotations

import pytest

from harl_mlir.errors import DatabaseError
from harl_mlir.records.record import UNTUNED, Record
from harl_mlir.search.agent import Agent, Problem
from harl_mlir.search.registry import make_agent
from harl_mlir.space.candidate import Candidate
from harl_mlir.tuner.progress import Event, Progressed
from harl_mlir.tuner.search import FINALISTS, UNTUNED_CAP_SECONDS
from tests.small_task import HERE
from tests.tuner.recorded import RecordedBench, memory, search, tile_space


def random_agent(problems: list[Problem] | tuple[Problem, ...]) -> Agent:
    return make_agent("random", problems, 0)


def tile(number: int, sketch: str = "tiled") -> Candidate:
    return Candidate(sketch, 1, (("tile", number),))


def valley(values: object) -> float:
    return 0.01 + abs(values["tile"] - 20) / 100  # type: ignore[index]


def test_the_untuned_kernel_then_the_default_then_the_agent() -> None:
    bench = RecordedBench(valley)
    run = search(bench, memory(), trials=10)
    run.run(random_agent)
    assert bench.asked[:2] == [None, tile(0)]
    assert len(bench.asked) == 1 + 10
    assert len(set(bench.asked)) == len(bench.asked)


def test_every_space_is_used_up_and_the_best_is_chosen() -> None:
    bench = RecordedBench(valley)
    run = search(bench, memory())
    run.run(random_agent)
    result = run.states[0].result()
    assert result.trials == 32
    assert result.chosen == tile(20)
    assert result.best_seconds == pytest.approx(0.01)
    assert result.default_seconds == pytest.approx(0.21)
    assert result.baseline_seconds == 1.0
    assert result.failures == {}


def test_the_defaults_of_all_sketches_come_first_and_trials_bound_all_tasks() -> None:
    spaces = [[tile_space("a"), tile_space("b", default=3)], [tile_space("a")]]
    bench = RecordedBench(valley)
    run = search(bench, memory(), spaces, trials=3)
    run.run(random_agent)
    assert bench.asked == [None, tile(0, "a"), None, tile(0, "a"), tile(3, "b")]
    assert sum(state.result().trials for state in run.states) == 3


def test_trial_0_is_measured_even_if_the_time_is_over() -> None:
    bench = RecordedBench(valley)
    run = search(bench, memory(), seconds=1e-9)
    run.run(random_agent)
    assert bench.asked == [None, tile(0)]
    assert run.states[0].result().chosen == tile(0)


def test_finalists_are_the_best_the_default_and_a_fast_untuned_kernel() -> None:
    bench = RecordedBench(valley, untuned=0.015)
    run = search(bench, memory())
    run.run(random_agent)
    (finals,) = bench.finals
    assert len(finals) == FINALISTS + 2
    assert finals[0] == tile(20)
    assert tile(0) in finals
    assert None in finals


def test_a_slow_untuned_kernel_is_no_finalist() -> None:
    bench = RecordedBench(valley)
    search(bench, memory()).run(random_agent)
    assert None not in bench.finals[0]


def test_the_finals_decide_and_the_default_can_win() -> None:
    bench = RecordedBench(valley, retimed=lambda c: 0.02 if c == tile(0) else 0.03)
    run = search(bench, memory())
    run.run(random_agent)
    result = run.states[0].result()
    assert result.chosen == tile(0)
    assert result.best_seconds == result.default_seconds == 0.02


def test_a_task_is_left_alone_if_the_untuned_kernel_wins() -> None:
    bench = RecordedBench(valley, untuned=0.005)
    run = search(bench, memory())
    run.run(random_agent)
    result = run.states[0].result()
    assert result.chosen is None
    assert result.best_seconds == 0.005


def test_an_untuned_kernel_beyond_the_cap_is_slower_than_the_cap() -> None:
    bench = RecordedBench(valley, untuned=None)
    run = search(bench, memory(), trials=2)
    run.run(random_agent)
    result = run.states[0].result()
    assert result.baseline_seconds is None
    assert result.baseline_slower_than == UNTUNED_CAP_SECONDS


def test_failures_are_counted_and_do_not_end_the_run() -> None:
    bench = RecordedBench(lambda v: None if v["tile"] % 2 else valley(v))  # type: ignore[operator]
    run = search(bench, memory())
    run.run(random_agent)
    result = run.states[0].result()
    assert result.failures == {"crash": 16}
    assert result.chosen == tile(20)


def test_a_default_that_fails_is_replaced_by_the_next_sketchs() -> None:
    spaces = [[tile_space("a"), tile_space("b")]]
    bench = RecordedBench(lambda v: valley(v))
    run = search(bench, memory(), spaces, trials=2)
    bench.seconds = lambda v: None if len(bench.asked) == 2 else valley(v)
    run.first_times()
    assert run.states[0].default == tile(0, "b")


def test_everything_measured_is_recorded() -> None:
    database = memory()
    bench = RecordedBench(valley)
    search(bench, database, trials=5).run(random_agent)
    records = database.records("matmul-0", HERE)
    assert [r.stage for r in records[:6]] == ["untuned"] + ["trial"] * 5
    assert records[0].candidate == UNTUNED
    assert [r.candidate for r in records[1:6]] == bench.asked[1:]
    assert {r.candidate for r in records[6:]} == set(bench.finals[0])
    assert {r.stage for r in records[6:]} == {"final"}


def test_a_second_run_starts_from_what_the_first_recorded() -> None:
    database = memory()
    first = RecordedBench(valley)
    search(first, database, trials=20).run(random_agent)
    second = RecordedBench(valley)
    run = search(second, database, trials=5)
    run.run(random_agent)
    assert not set(first.asked[1:]) & set(second.asked[1:])
    result = run.states[0].result()
    assert (result.trials, result.stored) == (5, 20)
    known = {c["tile"] for c in [*first.asked, *second.asked] if c is not None}
    assert result.chosen is not None
    assert valley(result.chosen.assignment) == min(valley({"tile": t}) for t in known)


def test_records_that_are_not_of_the_space_any_more_are_not_used() -> None:
    database = memory()
    search(RecordedBench(valley), database).run(random_agent)
    run = search(RecordedBench(valley), database, [[tile_space(count=4)]], trials=1)
    run.first_times()
    assert len(run.states[0].stored) == 4
    run = search(RecordedBench(valley), database, [[tile_space("renamed")]], trials=1)
    run.first_times()
    assert not run.states[0].stored


def test_an_interrupt_keeps_the_best_so_far() -> None:
    database = memory()
    bench = RecordedBench(valley, interrupt_after=12)
    run = search(bench, database)
    with pytest.raises(KeyboardInterrupt):
        run.run(random_agent)
    result = run.states[0].result()
    assert result.trials == 11
    measured = [c for c in bench.asked[1:12] if c is not None]
    assert result.chosen == min(measured, key=lambda c: valley(c.assignment))
    assert len(database.records("matmul-0", HERE)) == 12


def test_a_failing_database_ends_the_search_and_keeps_the_best_so_far() -> None:
    class Full:
        def __init__(self) -> None:
            self.left = 8

        def records(self, task: str, environment: object) -> list[Record]:
            return []

        def add_task(self, task: object) -> None:
            pass

        def add_all(self, records: list[Record]) -> tuple[int, ...]:
            self.left -= 1
            if self.left < 0:
                raise DatabaseError("there is no space left to write the database")
            return tuple(range(len(records)))

    bench = RecordedBench(valley)
    run = search(bench, Full())  # type: ignore[arg-type]
    run.run(random_agent)
    assert run.recorder.error is not None
    assert len(bench.asked) == 1 + 8
    assert run.states[0].result().chosen is not None


def test_a_listener_hears_of_every_trial() -> None:
    events: list[Event] = []
    search(RecordedBench(valley), memory(), trials=6, events=events).run(random_agent)
    progress = [event.progress for event in events if isinstance(event, Progressed)]
    assert [p.trials for p in progress] == sorted(p.trials for p in progress)
    assert progress[-1].trials == 6
    assert progress[-1].phase == "done"
