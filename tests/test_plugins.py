"""Plug-ins that clash, cannot be loaded or misbehave: a sentence names the distribution, the rest goes on."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import harl_mlir
from harl_mlir.errors import UsageError
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.runners import PluggedRunner
from harl_mlir.plugins import PluginError, PluginWarning, installed, plugins
from harl_mlir.processor import this_processor
from harl_mlir.search.agent import Problem
from harl_mlir.search.registry import AGENTS, agents, make_agent
from harl_mlir.space import plugged
from harl_mlir.space.sketches import NAMES, sketches_for
from tests.api.conftest import MATMUL
from tests.conftest import Run
from tests.small_task import matmul_task
from tests.tuner.recorded import tile_space

Install = Callable[..., None]

SKETCH = """
from harl_mlir.space.decision import Decision
from harl_mlir.space.sketch import Sketch
from harl_mlir.space.space import Space

def space(task, processor, accuracy):
    return Space("mine", 3, (Decision("tile", (1, 2), 1),))

MINE = Sketch(space, emit="{module}:emit")
"""

ILLEGAL = """
from harl_mlir.search.agent import Proposal
from harl_mlir.space.candidate import Candidate

class MAKE:
    def __init__(self, *_): pass
    def observe(self, trials): pass
    def propose(self, count): return [Proposal(0, Candidate("reduction", 9, ()))]
"""

NO_ANSWER = """
from harl_mlir.processor import this_processor

class MAKE:
    def __init__(self, pool): self.processor = this_processor()
    def measure(self, *_, **__): return 7
    def close(self): raise OSError
"""


def forget() -> None:
    installed.cache_clear()
    plugged._sketches.cache_clear()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution of one module: `install("name", code, sketches={"entry": "attribute"})`."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(site))
    made: list[str] = []

    def write(name: str, code: str, **groups: dict[str, str]) -> None:
        made.append(name)
        (site / f"{name}.py").write_text(code.replace("{module}", name))
        about = site / f"{name}-2.1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\n")
        lines = (
            f"[harl_mlir.{group}]\n" + "".join(f"{entry} = {name}:{what}\n" for entry, what in held.items())
            for group, held in groups.items()
        )
        (about / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(str(site))
        forget()

    forget()
    yield write
    for name in made:
        sys.modules.pop(name, None)
    monkeypatch.undo()
    forget()


def spaces() -> list[str]:
    return [space.sketch for space in sketches_for(matmul_task(), this_processor())]


def test_a_sketch_is_offered_after_our_own(install: Install) -> None:
    ours = spaces()
    install("good", SKETCH, sketches={"mine": "MINE"})
    assert spaces() == [*ours, "mine"]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("1 / 0", r"cannot be loaded \(ZeroDivisionError: division by zero\)"),
        ("raise SystemExit(3)", r"cannot be loaded \(SystemExit: 3\)"),
        (
            "import no_such_module",
            r"cannot be loaded \(ModuleNotFoundError: No module named 'no_such_module'\)",
        ),
        ("pass", r"cannot be loaded \(AttributeError: .*MINE'\)"),
        ("MINE = 7", "is no harl_mlir.space.sketch.Sketch but int"),
        (SKETCH.replace('"mine"', '"yours"'), "gives the space yours instead of a space of its own name"),
        (SKETCH.replace("return Space", "return 7 or Space"), "gives int instead of a space"),
        (SKETCH.replace("return Space", "raise KeyError; Space"), r"fails on matmul 8x8x4 f32 \(KeyError\)"),
    ],
)
def test_a_sketch_that_does_not_work_is_left_out_with_a_warning(
    install: Install, code: str, what: str
) -> None:
    ours = spaces()
    install("bad", code, sketches={"mine": "MINE"})
    sentence = (
        f"the sketch mine of the plug-in bad 2.1 {what}.*; correct or uninstall it; going on without it"
    )
    with pytest.warns(PluginWarning, match=sentence):
        assert spaces() == ours


def test_names_of_ours_and_of_two_distributions_are_not_used(install: Install) -> None:
    install(
        "one", SKETCH, sketches={"mine": "MINE", "reduction": "MINE"}, agents={"harl": "make", "walk": "make"}
    )
    install("two", SKETCH, sketches={"mine": "MINE"})
    with pytest.warns(PluginWarning) as told:
        offered = plugins("sketch", NAMES), agents()
    assert offered == ({}, (*AGENTS, "walk"))
    assert [str(warning.message).partition(";")[0] for warning in told] == [
        "the sketch mine of the plug-in one 2.1 has a name that the plug-in two 2.1 has too",
        "the sketch reduction of the plug-in one 2.1 has a name of harl_mlir's own",
        "the agent harl of the plug-in one 2.1 has a name of harl_mlir's own",
    ]


def test_what_is_not_asked_for_is_not_imported(install: Install) -> None:
    install("lazy", "1 / 0", agents={"slow": "make"}, runners={"far": "make"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_agent("random", [], 0)
        with pytest.raises(UsageError, match=r"no agent named 'x'; use --agent with one of harl, .*, slow$"):
            make_agent("x", [], 0)
    with pytest.raises(PluginError, match=r"the agent slow of the plug-in lazy 2.1 cannot be loaded"):
        make_agent("slow", [], 0)


def test_a_schedule_that_cannot_be_made_fails_like_any_other(install: Install) -> None:
    install("half", SKETCH, sketches={"mine": "MINE"})  # there is no emit
    with harl_mlir.Database.in_memory() as database:
        tuned = harl_mlir.tune(MATMUL, agent="default", seconds=60, database=database)
        failed = [r for r in database.records(MATMUL) if r.candidate.sketch == "mine"]
    assert tuned.library
    assert tuned.failures == {"transform": len(failed)}
    assert {record.candidate.version for record in failed} == {3}
    failure = failed[0].measurement.failure
    assert failure is not None
    assert failure.message.startswith("the sketch mine of the plug-in half 2.1 made no schedule (")


@pytest.mark.parametrize(
    ("agent", "what"),
    [
        ("MAKE = 7", "is no function that makes an agent but int"),
        ("def MAKE(problems, seed): pass", r"failed \(TypeError: MAKE\(\) takes 2 positional"),
        (
            "class MAKE:\n"
            "    def __init__(self, *_): pass\n"
            "    def observe(self, trials): pass\n"
            "    def propose(self, count): raise OSError('gone')",
            r"failed \(OSError: gone\)",
        ),
        (ILLEGAL, "proposed what no space of its problem holds"),
    ],
)
def test_an_agent_that_does_not_work_is_refused(install: Install, agent: str, what: str) -> None:
    install("lost", agent, agents={"lost": "MAKE"})
    with pytest.raises(PluginError, match=f"the agent lost of the plug-in lost 2.1 {what}"):
        make_agent("lost", [Problem(matmul_task(), (tile_space(),))], 0).propose(1)


def test_an_agent_that_fails_ends_the_search_and_the_best_so_far_is_kept(install: Install) -> None:
    install("lost", ILLEGAL, agents={"lost": "MAKE"})
    with harl_mlir.Database.in_memory() as database:
        with pytest.raises(PluginError, match="proposed what no space of its problem holds"):
            harl_mlir.tune(MATMUL, agent="lost", seconds=60, database=database)
        assert database.best(MATMUL)  # of the defaults


@pytest.mark.parametrize(
    ("runner", "what"),
    [
        ("MAKE = 7", "is no function that makes a runner but int"),
        (
            "MAKE = lambda pool: pool",
            r"failed \(AttributeError: 'Pool' object has no attribute 'processor'\)",
        ),
        (NO_ANSWER, r"answered with \[7\] instead of 1 Measurement\(s\)"),
    ],
)
def test_a_runner_that_does_not_work_is_refused(install: Install, runner: str, what: str) -> None:
    install("far", runner, runners={"far": "MAKE"})
    with pytest.raises(PluginError, match=f"the runner far of the plug-in far 2.1 {what}"):
        PluggedRunner("far", Pool()).measure(matmul_task(), None)


def test_a_runner_that_fails_ends_the_run_in_a_sentence(
    install: Install, harl_mlir: Callable[..., Run], environment: dict[str, str], tmp_path: Path
) -> None:
    install("far", NO_ANSWER, runners={"far": "MAKE"})
    environment["PYTHONPATH"] += f":{tmp_path / 'site'}"
    (tmp_path / "k.mlir").write_text(MATMUL)
    run = harl_mlir("tune", "k.mlir", "--runner", "far", "--json")
    assert run.exit_code == 1
    assert run.object["error"]["message"].startswith(
        "the runner far of the plug-in far 2.1 answered with [7]"
    )
    assert "Traceback" not in run.err


def test_a_runner_has_to_exist_and_to_have_something_to_measure(install: Install) -> None:
    install("far", "def MAKE(pool): pass", runners={"far": "MAKE"})
    with pytest.raises(UsageError, match=r"no runner named 'near'; use runner with one of local, far$"):
        harl_mlir.tune(MATMUL, runner="near")
    with pytest.raises(
        UsageError, match=r"with 0 trials the runner far has nothing to measure; use more trials$"
    ):
        harl_mlir.tune(MATMUL, runner="far", trials=0)


def test_the_command_line_warns_once_and_refuses_in_a_sentence(
    install: Install, harl_mlir: Callable[..., Run], environment: dict[str, str], tmp_path: Path
) -> None:
    install("bad", "1 / 0", sketches={"mine": "MINE"}, agents={"lost": "MAKE"})
    environment["PYTHONPATH"] += f":{tmp_path / 'site'}"
    (tmp_path / "k.mlir").write_text(MATMUL)
    run = harl_mlir("tune", "k.mlir", "--trials", "0")
    assert run.exit_code == 0
    assert run.err.splitlines()[0] == (
        "harl-mlir: warning: the sketch mine of the plug-in bad 2.1 cannot be loaded"
        " (ZeroDivisionError: division by zero); correct or uninstall it; going on without it"
    )
    assert run.err.count("warning") == 1
    run = harl_mlir("tune", "k.mlir", "--agent", "lost")
    assert run.exit_code == 1
    assert run.err == (
        "harl-mlir: error: the agent lost of the plug-in bad 2.1 cannot be loaded"
        " (ZeroDivisionError: division by zero); correct or uninstall it\n"
    )
