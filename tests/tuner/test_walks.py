"""Walked tasks: their spaces, what of a walk is measured, and stored nests."""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.looptune.agent import HANDFUL
from harl_mlir.processor import this_processor
from harl_mlir.search.agent import Agent, Problem
from harl_mlir.search.registry import make_agent
from harl_mlir.space.decision import Value
from harl_mlir.space.nest.space import SKETCH, candidate_of, rules_for
from harl_mlir.space.sketches.cuts import shared_as
from harl_mlir.tasks.part import part_of
from harl_mlir.tuner.walks import walk_tasks
from tests.small_task import matmul_task
from tests.tuner.recorded import RecordedBench, memory, search, tile_space
from tests.tuner.walked import PLAIN_WALKER, plain_walk

ORDINARY = (tile_space("a"), tile_space("b"))


def looptune(problems: list[Problem] | tuple[Problem, ...]) -> Agent:
    return make_agent("looptune", problems, 0)


def known_times(values: Mapping[str, Value]) -> float:
    return 0.5 if "tile" in values else 0.1 + len(str(values["nest"])) / 1000


def test_a_walked_task_has_its_nests_and_its_first_sketch() -> None:
    run = search(RecordedBench(known_times), memory(), [ORDINARY])
    walk_tasks(run.states, PLAIN_WALKER, this_processor(), "reassociate")
    (state,) = run.states
    assert [space.sketch for space in state.spaces] == [SKETCH, "a"]
    assert state.walk is not None
    assert state.spaces[0].default()["nest"] == state.walk.best[0].text()
    assert (state.result().walk, state.result().walk_peak_gflops) == (state.walk, 200.0)


def test_a_task_without_nests_keeps_its_spaces() -> None:
    run = search(RecordedBench(known_times), memory(), [ORDINARY])
    walk_tasks(run.states, PLAIN_WALKER, this_processor(), "strict")
    assert run.states[0].spaces == ORDINARY
    assert run.states[0].walk is None


def test_threads_share_nests_of_parts_as_they_share_the_first_sketch() -> None:
    spaces = (shared_as(tile_space("a"), "d0/2"), tile_space("b"))
    run = search(RecordedBench(known_times), memory(), [spaces])
    walk_tasks(run.states, PLAIN_WALKER, this_processor(), "reassociate")
    (state,) = run.states
    assert [space.sketch for space in state.spaces] == [SKETCH, "a"]
    part = part_of(state.task, {0: 2})
    assert part is not None
    rules = rules_for(part, this_processor())
    assert rules is not None
    candidate = state.spaces[0].default()
    assert candidate["shared"] == "d0/2"
    assert candidate["nest"] == plain_walk(part, rules).best[0].text()
    assert state.spaces[0].is_legal(candidate)


def test_a_handful_of_nests_is_measured_and_stored_ones_are_recalled() -> None:
    rules = rules_for(matmul_task(), this_processor())
    assert rules is not None
    walk = plain_walk(matmul_task(), rules)
    nests = [candidate_of(nest, rules) for nest in walk.best]
    database = memory()
    asked = []
    for _ in range(2):
        bench = RecordedBench(known_times)
        run = search(bench, database, [ORDINARY])
        walk_tasks(run.states, PLAIN_WALKER, this_processor(), "reassociate")
        run.run(looptune)
        asked.append(bench.asked)
    handful = nests[:HANDFUL]
    assert asked[0] == [None, handful[0], tile_space("a").default(), *handful[1:]]
    assert asked[1] == [None]
    result = run.states[0].result()
    assert result.stored == HANDFUL + 1
    assert result.chosen == min(handful, key=lambda c: len(str(c["nest"])))
