"""Loads what an agent will need while the measuring process starts and measures the first times."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

_LEARNERS: Mapping[str, tuple[str, ...]] = {
    "harl": ("xgboost",),
    "evolutionary": ("xgboost",),
    "tpe": ("optuna",),
}


def preload(agent: str) -> None:
    """Start importing the learners of an agent in a thread, where there is a core beside the measured one.

    Where there is none, an import would disturb the times; the agent itself imports them then, as it does
    where one is missing, which it reports.
    """
    modules = _LEARNERS.get(agent, ())
    if modules and _cores() > 1:
        threading.Thread(target=_import, args=(modules,), name="preload").start()


def _import(modules: Sequence[str]) -> None:
    # What is wrong with a module, the agent's own import says; an interrupt may be ending the process.
    with suppress(Exception):
        for name in modules:
            importlib.import_module(name)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
