"""A search policy of another distribution, whose proposals are checked; see `harl_mlir.plugins`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from harl_mlir.plugins import Plugin, PluginError, described
from harl_mlir.search.agent import Agent, Problem, Proposal, Trial
from harl_mlir.search.settings import Settings

AgentMaker = Callable[[Sequence[Problem], int, Settings], Agent]
"""What an entry point of the group `harl_mlir.agents` names: makes an agent over problems from a seed.

The settings are those of the whole search, of which an agent heeds what concerns it."""

_Result = TypeVar("_Result")


class PluggedAgent:
    """The agent that a plug-in makes.

    Raises:
        PluginError: it cannot be made; every method raises it too, where the plug-in fails or proposes what
            no space holds.
    """

    def __init__(self, plugin: Plugin, problems: Sequence[Problem], seed: int, settings: Settings) -> None:
        self._plugin = plugin
        self._problems = problems
        make = plugin.load()
        if not callable(make):
            raise plugin.error(f"is no function that makes an agent but {type(make).__name__}")
        self._agent: Agent = self._asked(lambda: make(problems, seed, settings))

    def propose(self, count: int) -> list[Proposal]:
        """What the plug-in proposes: at most `count` candidates of the problems' spaces."""
        proposals = self._asked(lambda: list(self._agent.propose(count)))
        legal = self._asked(lambda: [self._is_legal(proposal) for proposal in proposals])
        for proposal, belongs in zip(proposals, legal, strict=True):
            if not belongs:
                raise self._plugin.error(f"proposed what no space of its problem holds ({proposal})")
        return proposals[:count]

    def observe(self, trials: Sequence[Trial]) -> None:
        """Tell the plug-in what was measured."""
        self._asked(lambda: self._agent.observe(trials))

    def _is_legal(self, proposal: Proposal) -> bool:
        known = 0 <= proposal.problem < len(self._problems)
        return known and any(s.is_legal(proposal.candidate) for s in self._problems[proposal.problem].spaces)

    def _asked(self, ask: Callable[[], _Result]) -> _Result:
        try:
            return ask()
        except PluginError:
            raise
        except Exception as error:
            raise self._plugin.error(f"failed ({described(error)})") from error
