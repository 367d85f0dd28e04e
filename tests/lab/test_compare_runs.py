"""Runs, their statistics and the files of a comparison, on planted recordings."""

from __future__ import annotations

import html.parser
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.errors import InputError, UsageError
from harl_mlir.files import Output
from harl_mlir.lab import statistics
from harl_mlir.lab.comparison import Comparison
from harl_mlir.lab.contenders import COLD, CONTENDERS, VARIANTS, check_contender, make_contender, settings_of
from harl_mlir.lab.page import page
from harl_mlir.lab.recorded import Recording
from harl_mlir.lab.recording import Declared
from harl_mlir.lab.replay_bench import ReplayBench
from harl_mlir.lab.runs import Improvement, Run, Workload, run_agent
from harl_mlir.search.settings import QUICK
from tests.lab.planted import KnownBench, make_recording, tiled
from tests.small_task import matmul_task


@pytest.fixture
def program(tmp_path: Path) -> Workload:
    """Two tasks, one of them of two sketches and one of weight 3."""
    tasks = [
        Declared(matmul_task(), (tiled("a"), tiled("b", 5))),
        Declared(matmul_task("other", 3), (tiled(),)),
    ]
    return workload(make_recording(tmp_path, KnownBench(), tasks, "program"))


@pytest.fixture
def single(tmp_path: Path) -> Workload:
    return workload(make_recording(tmp_path, KnownBench(), [Declared(matmul_task(), (tiled(),))], "single"))


def workload(recording: Recording) -> Workload:
    tasks = tuple((task.task, task.spaces) for task in recording.tasks)
    return Workload(recording.name, recording.digest, tasks, recording)


def a_run(*improvements: tuple[int, float, float], agent: str = "x", seed: int = 0) -> Run:
    return Run("w", "d", agent, seed, 64, 0, 6.4, 1.0, tuple(Improvement(*i) for i in improvements))


@pytest.mark.parametrize("agent", [name for name in CONTENDERS if name not in ("tpe", "default")])
def test_every_contender_runs_on_a_recorded_program(program: Workload, agent: str) -> None:
    assert program.recording is not None
    run = run_agent(program, ReplayBench(program.recording), agent, 0, 40)
    assert run.trials == 40 or run.best == pytest.approx(program.best_seconds)
    assert 0 < run.agent_seconds <= run.seconds
    assert run.improvements[0].trial == 2
    assert [i.program_seconds for i in run.improvements] == sorted(
        (i.program_seconds for i in run.improvements), reverse=True
    )


def test_a_replayed_run_ends_with_the_best_there_is(single: Workload) -> None:
    assert single.recording is not None
    run = run_agent(single, ReplayBench(single.recording), "greedy", 0, 1000)
    assert run.best == pytest.approx(single.best_seconds)
    assert run.trials == run.improvements[-1].trial < 200


def test_variants_change_what_their_names_say() -> None:
    assert settings_of("harl", 64) == QUICK
    for name in VARIANTS:
        assert (settings_of(name, 64) == QUICK) == (name == COLD)
        check_contender(name)
        make_contender(name, [], 0, 64)
    with pytest.raises(UsageError, match="no agent named 'harl:none'; use --agents with some of harl"):
        check_contender("harl:none")
    with pytest.raises(UsageError, match="leave it out of --agents"):
        check_contender("looptune")


def test_trials_and_seconds_to_a_share() -> None:
    run = a_run((2, 0.2, 8.0), (5, 0.5, 4.2), (9, 0.9, 4.0))
    assert (run.trials_to(4.0 / 0.95), run.seconds_to(4.0 / 0.95)) == (5, 0.5)
    assert run.trials_to(3.9) is None
    assert a_run().best == math.inf
    assert statistics.trials_to_share([run, a_run()], 4.0) == [5, None]


def test_medians_of_runs_that_did_not_arrive() -> None:
    assert statistics.median_or_none([3, None, 9]) == 9
    assert statistics.median_or_none([3, None]) is None
    assert statistics.median_or_none([]) is None
    assert statistics.censored([3, None], 64).tolist() == [3, 65]


def test_curves_hold_the_best_so_far() -> None:
    runs = [a_run((1, 0.1, 8.0), (3, 0.3, 4.0)), a_run((2, 0.2, 4.0)), a_run((2, 0.2, 8.0))]
    curve = statistics.curve_over_trials(runs, 4.0, 4)
    assert curve.at == (1, 2, 3, 4)
    assert curve.median == (0.0, 0.5, 1.0, 1.0)
    over_seconds = statistics.curve_over_seconds(runs, 4.0, 0.4, points=5)
    assert over_seconds.median == (0.0, 0.0, 0.5, 1.0, 1.0)


def test_bootstrap_intervals_hold_the_truth_and_pair_seeds() -> None:
    rng = np.random.default_rng(0)
    own = rng.integers(20, 40, size=20).astype(float)
    ratio = statistics.ratio_of_medians([2 * own, 8 * own], [own, own])
    assert (ratio.estimate, ratio.low, ratio.high) == pytest.approx((4, 4, 4))
    other = rng.permutation(own) * 2
    unpaired = statistics.ratio_of_medians([other], [own])
    assert unpaired.low < 2 < unpaired.high
    same = statistics.ratio_of_medians([rng.permutation(own)], [own])
    assert same.low < 1 < same.high
    gain = statistics.mean_difference(own - 1, own)
    assert (gain.estimate, gain.low, gain.high) == pytest.approx((1, 1, 1))


def compared(path: Path, workloads: list[Workload], agents: tuple[str, ...], seeds: int) -> Comparison:
    comparison = Comparison(workloads, agents, seeds, 30, Output(path, "--json"))
    comparison.resume()
    return comparison


def test_a_comparison_is_gone_on_with(single: Workload, program: Workload, tmp_path: Path) -> None:
    path, told = tmp_path / "out.json", list[str]()
    first = compared(path, [single], ("greedy", "random"), 2)
    first.run(None, told.append)
    first.save()
    assert len(told) == 4
    more = compared(path, [single, program], ("greedy", "random", "beam"), 3)
    told.clear()
    more.run(None, told.append)
    assert len(told) == 18 - 4
    content = more.save()
    assert set(content["agents"]) == {"greedy", "random", "beam"}
    assert content["workloads"]["single"]["seeds"] == 3
    stored = json.loads(path.read_bytes())
    assert stored["agents"]["greedy"]["median_trials_to_95"].keys() == {"single", "program"}
    for agent in ("random", "beam"):
        ratio = stored["against"]["others"][agent]["trials_ratio_all"]
        assert ratio["low"] <= ratio["estimate"] <= ratio["high"]
    again = compared(path, [single, program], ("greedy", "random", "beam"), 3)
    again.run(None, lambda _: pytest.fail("nothing is left to run"))


def test_results_of_another_space_are_not_mixed_in(single: Workload, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    first = compared(path, [single], ("greedy",), 1)
    first.run(None, lambda _: None)
    first.save()
    other = Workload(single.name, "another", single.tasks, single.recording)
    comparison = Comparison([other], ("greedy",), 1, 30, Output(path, "--json"))
    assert comparison.resume() == 0
    comparison.run(None, lambda _: None)
    assert len(comparison.runs) == 2
    assert comparison.content()["workloads"]["single"]["digest"] == "another"


def test_files_that_are_no_comparison_are_left_alone(single: Workload, tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text('{"something": "else"}')
    with pytest.raises(InputError, match="no comparison and is not overwritten"):
        compared(path, [single], ("greedy",), 1)
    path.unlink()
    compared(path, [single], ("greedy",), 1).save()
    with pytest.raises(InputError, match="give --trials 30"):
        Comparison([single], ("greedy",), 1, 31, Output(path, "--json")).resume()


class _Elements(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else(single: Workload, program: Workload, tmp_path: Path) -> None:
    comparison = compared(tmp_path / "out.json", [single, program], ("greedy", "random"), 2)
    comparison.run(None, lambda _: None)
    text = page(comparison.content(), comparison.runs)
    elements = _Elements()
    elements.feed(text)
    assert elements.open == []
    assert elements.seen.count("svg") == 4
    assert not {"script", "link", "img"} & set(elements.seen)
    assert not re.search(r"https?://|url\(|@import", text)
    assert "matmul 8x8x4 f32 x3" in text
    assert "nan" not in text
