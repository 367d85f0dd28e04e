"""What every agent promises, on random spaces."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.errors import UsageError
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.search.agent import Agent, Problem, Proposal, Trial
from harl_mlir.search.lattice import Lattice
from harl_mlir.search.registry import AGENTS, make_agent
from harl_mlir.search.replay import replay
from harl_mlir.space.decision import Decision
from harl_mlir.space.space import Space
from tests.search.landscapes import Table, matmul_task
from tests.search.spaces import spaces

DEFAULTS_ONLY = ("default", "looptune")  # of spaces that are not walked
SEARCHES = [name for name in AGENTS if name not in DEFAULTS_ONLY]
MOST = {name: 40 if name == "tpe" else 1000 for name in AGENTS}  # Optuna takes 10 ms a trial


def problems(*task_spaces: tuple[Space, ...]) -> tuple[list[Problem], list[Table]]:
    """Problems and made-up measurements, some of them failures."""
    tables: list[Table] = []
    for several in task_spaces:
        table: Table = {}
        for space in several:
            lattice = Lattice(space)
            for state in lattice.all_legal():
                mixed = sum((i + 3) * (at + 1) ** 2 for i, at in enumerate(state)) % 17
                measured = (
                    Measurement(seconds=1e-3 * (1 + mixed)) if mixed % 6 else failed("crash", "planted")
                )
                table[lattice.candidate(state)] = measured
        tables.append(table)
    return [Problem(matmul_task(weight=i + 1), s) for i, s in enumerate(task_spaces)], tables


two_problems = st.tuples(
    st.tuples(spaces("first"), spaces("second", most=3)), st.tuples(spaces("first", most=3))
)


@pytest.mark.parametrize("name", SEARCHES)
@settings(max_examples=12, deadline=None)
@given(given_spaces=two_problems, batch=st.integers(1, 20))
def test_tries_legal_candidates_only_each_once(
    name: str, given_spaces: tuple[tuple[Space, ...], ...], batch: int
) -> None:
    known, tables = problems(*given_spaces)
    trials = replay(make_agent(name, known, 1), tables, trials=MOST[name], batch=batch)
    tried = [trial.proposal for trial in trials]
    assert len(set(tried)) == len(tried)
    for proposal in tried:
        assert any(space.is_legal(proposal.candidate) for space in given_spaces[proposal.problem])


@pytest.mark.parametrize("name", SEARCHES)
def test_ends_when_everything_was_tried(name: str) -> None:
    spaces_ = (
        Space("small", 1, (Decision("x", (1, 2, 4), 1), Decision("y", ("a", "b"), "a", ordered=False))),
        Space("single", 1, ()),
    )
    known = [Problem(matmul_task(), spaces_), Problem(matmul_task(weight=2), spaces_[1:])]
    seconds = Measurement(seconds=1e-3)
    tables = [
        {Lattice(s).candidate(x): seconds for s in p.spaces for x in Lattice(s).all_legal()} for p in known
    ]
    agent = make_agent(name, known, 0)
    trials = replay(agent, tables, trials=100)
    assert {t.proposal for t in trials} == {Proposal(i, c) for i, table in enumerate(tables) for c in table}
    assert len(trials) == 8
    assert agent.propose(5) == []


@pytest.mark.parametrize("name", AGENTS)
def test_never_proposes_what_was_measured_elsewhere(name: str) -> None:
    known, tables = problems(*[(fixed_space("a"), fixed_space("b"))] * 2)
    agent = make_agent(name, known, 0)
    waiting = agent.propose(3)
    assert waiting
    foreign = [
        Trial(Proposal(i, c), m)
        for i, table in enumerate(tables)
        for c, m in list(table.items())[::2]
        if Proposal(i, c) not in waiting
    ]
    agent.observe(foreign)
    stranger = Space("gone", 7, ()).default()
    agent.observe([Trial(Proposal(1, stranger), Measurement(seconds=1.0))])
    agent.observe([Trial(p, tables[p.problem][p.candidate]) for p in waiting])
    trials = replay(agent, tables, trials=MOST[name])
    tried = [*waiting, *(trial.proposal for trial in foreign), *(trial.proposal for trial in trials)]
    assert len(set(tried)) == len(tried)


@pytest.mark.parametrize("name", AGENTS)
def test_works_without_problems_and_spaces(name: str) -> None:
    assert make_agent(name, [], 0).propose(8) == []
    assert make_agent(name, [Problem(matmul_task(), ())], 0).propose(8) == []
    known, _ = problems((fixed_space("a"),))
    assert make_agent(name, known, 0).propose(0) == []


@pytest.mark.parametrize("name", AGENTS)
def test_ends_even_if_nothing_is_ever_measured(name: str) -> None:
    known, tables = problems((fixed_space("a"),), (fixed_space("a"),))
    agent = make_agent(name, known, 0)
    proposals: list[Proposal] = []
    while some := agent.propose(7):
        proposals += some
    assert len(proposals) == len(set(proposals))
    assert len(proposals) == (2 if name in DEFAULTS_ONLY else sum(map(len, tables)))


def test_default_tries_each_default_once() -> None:
    known, _ = problems((fixed_space("a"), fixed_space("b")), (fixed_space("a"),))
    agent: Agent = make_agent("default", known, 0)
    expected = [Proposal(i, space.default()) for i, p in enumerate(known) for space in p.spaces]
    assert agent.propose(2) + agent.propose(9) == expected
    assert agent.propose(1) == []


def test_random_shares_trials_by_weight() -> None:
    known, tables = problems((fixed_space("a"),), (fixed_space("a"),))
    trials = replay(make_agent("random", known, 0), tables, trials=30)
    assert sum(trial.proposal.problem for trial in trials) == 20


def test_unknown_agents_are_refused_with_the_names() -> None:
    with pytest.raises(UsageError, match=r"no agent named 'ansor'; use --agent with one of harl, evolut"):
        make_agent("ansor", [], 0)


def test_an_agent_whose_library_is_missing_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harl_mlir.search.registry.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"tpe needs optuna.*pip install 'harl_mlir\[compare\]'"):
        make_agent("tpe", [], 0)


def test_the_simple_agents_start_without_the_learners() -> None:
    program = (
        "import sys; from harl_mlir.search.registry import make_agent;"
        "[make_agent(name, [], 0) for name in ('greedy', 'beam', 'random', 'default')];"
        "print(sorted({'torch', 'xgboost', 'optuna', 'torch_mlir'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def fixed_space(name: str) -> Space:
    return Space(
        name,
        1,
        (Decision("x", (1, 2, 4, 8), 2), Decision("y", (1, 2, 4), 1), Decision("z", ("p", "q"), "q", False)),
        lambda at: int(str(at["x"])) * int(str(at["y"])) <= 16,
    )
