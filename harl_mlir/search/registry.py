"""The search policies by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harl_mlir.errors import UsageError
from harl_mlir.search.agent import Agent, Problem


def _harl(problems: Sequence[Problem], seed: int) -> Agent:
    from harl_mlir.search.harl import HARL

    return HARL(problems, seed)


def _random(problems: Sequence[Problem], seed: int) -> Agent:
    from harl_mlir.search.random_search import RandomSearch

    return RandomSearch(problems, seed)


def _default(problems: Sequence[Problem], _: int) -> Agent:
    from harl_mlir.search.default import DefaultOnly

    return DefaultOnly(problems)


# Imports wait until an agent is chosen: the learners load slowly, and the others do without.
_MAKERS: dict[str, Callable[[Sequence[Problem], int], Agent]] = {
    "harl": _harl,
    "random": _random,
    "default": _default,
}

AGENTS: tuple[str, ...] = tuple(_MAKERS)
"""The names `make_agent` knows; the first is the usual choice."""


def make_agent(name: str, problems: Sequence[Problem], seed: int) -> Agent:
    """A new agent over `problems`; the seed (not negative) decides all it draws.

    Raises:
        UsageError: no agent has this name.
    """
    maker = _MAKERS.get(name)
    if maker is None:
        raise UsageError(f"there is no agent named {name!r}; choose one of {', '.join(AGENTS)}")
    return maker(problems, seed)
