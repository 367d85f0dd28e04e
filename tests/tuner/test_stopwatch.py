"""Where the time of a run goes: every part is counted, and the command line tells all of them."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import fields

from harl_mlir.cli.main import _nothing
from harl_mlir.search.agent import Agent, Problem
from harl_mlir.search.registry import make_agent
from harl_mlir.tuner.stopwatch import Spent, Stopwatch
from tests.tuner.recorded import RecordedBench, memory, search


def test_a_part_counts_its_wall_and_processor_time_even_if_it_is_left_early() -> None:
    watch = Stopwatch(elapsed=100.0)
    with suppress(KeyboardInterrupt), watch.part("search"):
        time.sleep(0.02)
        raise KeyboardInterrupt
    with watch.part("search"):
        sum(range(10_000))
    spent = watch.spent()
    assert spent.search >= 0.02
    assert 0 < spent.search_cpu < spent.search
    assert spent.measuring == 0.0
    assert spent.first_measurement is None


def test_the_first_measurement_is_that_of_the_first_candidate() -> None:
    def agent(problems: list[Problem] | tuple[Problem, ...]) -> Agent:
        time.sleep(0.01)
        return make_agent("random", problems, 0)

    run = search(RecordedBench(lambda _: 0.01), memory(), trials=8)
    run.watch = Stopwatch(elapsed=100.0)
    run.run(agent)
    spent = run.watch.spent()
    assert spent.first_measurement is not None
    assert 100.0 < spent.first_measurement < 100.0 + spent.measuring + 0.01
    assert spent.search >= 0.01
    assert min(spent.measuring, spent.finalists) > 0


def test_a_run_that_comes_to_nothing_names_the_same_parts() -> None:
    names = {f"{field.name}_seconds" for field in fields(Spent)}
    assert set(_nothing("tune")) == names | {"wall_seconds", "tasks", "skipped"}
