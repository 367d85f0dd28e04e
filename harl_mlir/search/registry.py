"""The search policies by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harl_mlir.errors import UsageError
from harl_mlir.plugins import Plugin, plugins
from harl_mlir.search.agent import Agent, Problem
from harl_mlir.search.settings import QUICK, Settings

if TYPE_CHECKING:  # what it needs may not be installed
    from harl_mlir.search.pretrained import Pretrained

_WEIGHTS = Path(__file__).parent.parent / "weights"
SHIPPED_WEIGHTS = _WEIGHTS / "harl"
"""The trained weights that come with the package."""

LOOPTUNE = "looptune"
"""The agent that walks loop nests instead of searching spaces."""
LOOPTUNE_WEIGHTS = _WEIGHTS / LOOPTUNE
"""Those it walks by."""


def _harl(problems: Sequence[Problem], seed: int, settings: Settings, pretrained: Pretrained | None) -> Agent:
    from harl_mlir.search.harl import HARL

    return HARL(problems, seed, settings, pretrained)


def _random(problems: Sequence[Problem], seed: int, *_: object) -> Agent:
    from harl_mlir.search.random_search import RandomSearch

    return RandomSearch(problems, seed)


def _evolutionary(
    problems: Sequence[Problem], seed: int, settings: Settings, pretrained: Pretrained | None
) -> Agent:
    from harl_mlir.search.evolutionary import Evolutionary

    return Evolutionary(problems, seed, settings, prior=pretrained.cost_model if pretrained else None)


def _greedy(problems: Sequence[Problem], seed: int, *_: object) -> Agent:
    from harl_mlir.search.greedy import Greedy

    return Greedy(problems, seed)


def _beam(problems: Sequence[Problem], seed: int, *_: object) -> Agent:
    from harl_mlir.search.beam import Beam

    return Beam(problems, seed)


def _tpe(problems: Sequence[Problem], seed: int, *_: object) -> Agent:
    from harl_mlir.search.tpe import TPE

    return TPE(problems, seed)


def _looptune(problems: Sequence[Problem], *_: object) -> Agent:
    from harl_mlir.looptune.agent import LoopTune

    return LoopTune(problems)


def _default(problems: Sequence[Problem], *_: object) -> Agent:
    from harl_mlir.search.default import DefaultOnly

    return DefaultOnly(problems)


# Imports wait until an agent is chosen: the learners load slowly, and the others do without.
_MAKERS: dict[str, Callable[[Sequence[Problem], int, Settings, Pretrained | None], Agent]] = {
    "harl": _harl,
    "evolutionary": _evolutionary,
    "greedy": _greedy,
    "beam": _beam,
    "tpe": _tpe,
    "random": _random,
    LOOPTUNE: _looptune,
    "default": _default,
}

AGENTS: tuple[str, ...] = tuple(_MAKERS)
"""The names of this package's agents; the first is the usual choice."""

_NEEDED = {"tpe": ("optuna", "compare")}
"""What an agent needs beside the dependencies: a module, and the extra that installs it."""


def agents() -> tuple[str, ...]:
    """The names `make_agent` knows: this package's agents, then those of plug-ins."""
    return (*AGENTS, *plugins("agent", AGENTS))


def _plugged(name: str) -> Plugin | None:
    return None if name in _MAKERS else plugins("agent", AGENTS).get(name)


def check_agent(name: str) -> None:
    """Refuse an agent that cannot be made.

    Raises:
        UsageError: there is none of this name, or what it needs is not installed.
        PluginError: it is a plug-in's, which cannot be loaded.
    """
    plugin = _plugged(name)
    if plugin is not None:
        plugin.load()
    elif name not in _MAKERS:
        raise UsageError(f"there is no agent named {name!r}; use --agent with one of {', '.join(agents())}")
    module, extra = _NEEDED.get(name, ("", ""))
    if module and find_spec(module) is None:
        raise UsageError(
            f"the agent {name} needs {module}, which is not installed; pip install 'harl_mlir[{extra}]'"
        )


def make_agent(
    name: str,
    problems: Sequence[Problem],
    seed: int,
    settings: Settings | None = None,
    pretrained: Pretrained | None = None,
) -> Agent:
    """A new agent over `problems`; the seed (not negative) decides all it draws.

    `settings` are those of `harl` and of what others share with it; None is the preset `quick`. `harl` starts
    from the weights `pretrained`, `evolutionary` from their cost model.

    Raises:
        UsageError, PluginError: see `check_agent`.
    """
    check_agent(name)
    plugin = _plugged(name)
    if plugin is not None:
        from harl_mlir.search.plugged import PluggedAgent

        return PluggedAgent(plugin, problems, seed, settings or QUICK)
    return _MAKERS[name](problems, seed, settings or QUICK, pretrained)
