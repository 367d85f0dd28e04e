"""Who may be compared: every agent by name, HARL with one thing changed, and evolution with a trained one."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harl_mlir.errors import UsageError
from harl_mlir.search.agent import Agent, Problem
from harl_mlir.search.pretrained import Pretrained
from harl_mlir.search.registry import AGENTS, LOOPTUNE, agents, check_agent, make_agent
from harl_mlir.search.settings import Settings, preset

_HARL = "harl"

COLD = "harl:cold"
"""HARL without trained weights."""

WARM_EVOLUTION = "evolutionary:warm"
"""Ansor's search from the trained cost model; by itself it has none."""

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "harl:uniform-task": {"task_choice": "uniform"},
    "harl:round-robin": {"task_choice": "round-robin"},
    "harl:gradient": {"task_choice": "gradient"},
    "harl:uniform-sketch": {"uniform_sketch": True},
    "harl:fixed-length": {"adaptive_stopping": False},
    "harl:no-cost-model": {"use_cost_model": False},
    "harl:random-walk": {"use_policy": False},
    COLD: {},
}
"""Changes of HARL's settings: its ablations, and the task policies it is compared with."""

CONTENDERS: tuple[str, ...] = (*(name for name in AGENTS if name != LOOPTUNE), *VARIANTS, WARM_EVOLUTION)

_LEARNERS = {"evolutionary": ("xgboost",), "tpe": ("optuna",), _HARL: ("xgboost", "harl_mlir.search.ppo")}


def check_contender(name: str) -> None:
    """Refuse a name that stands for nobody.

    Raises:
        UsageError: the name is unknown, or what the agent needs is not installed.
    """
    if name in VARIANTS or name == WARM_EVOLUTION:
        return
    if name == LOOPTUNE:
        raise UsageError("looptune walks loop nests instead of searching spaces; leave it out of --agents")
    if name not in agents():
        known = (*CONTENDERS, *(each for each in agents() if each not in AGENTS))
        raise UsageError(f"there is no agent named {name!r}; use --agents with some of {', '.join(known)}")
    check_agent(name)


def preload(names: Sequence[str]) -> None:
    """Import the learners, so that no run has to wait for them."""
    for name in names:
        for module in _LEARNERS.get(name.partition(":")[0], ()):
            importlib.import_module(module)


def settings_of(name: str, trials: int) -> Settings:
    """The settings of a contender for a budget of so many trials."""
    return replace(preset(trials), **VARIANTS.get(name, {}))


def make_contender(
    name: str, problems: Sequence[Problem], seed: int, trials: int, pretrained: Pretrained | None = None
) -> Agent:
    """A new agent over `problems`; HARL (but `COLD`) and `WARM_EVOLUTION` start from the weights."""
    agent = name.partition(":")[0]
    warm = name != COLD and (agent == _HARL or name == WARM_EVOLUTION)
    return make_agent(agent, problems, seed, settings_of(name, trials), pretrained if warm else None)
