"""The one loop that joins the rooms; `tune()` is that of the command line, from files to files."""

from __future__ import annotations

from harl_mlir.settings import Settings
from harl_mlir.tuner.progress import Event, Listener, Planned, Progressed, TaskProgress
from harl_mlir.tuner.request import Request, Shapes
from harl_mlir.tuner.result import Result, TaskResult
from harl_mlir.tuner.session import tune, tune_with
from harl_mlir.tuner.stopwatch import Spent

__all__ = [
    "Event",
    "Listener",
    "Planned",
    "Progressed",
    "Request",
    "Result",
    "Settings",
    "Shapes",
    "Spent",
    "TaskProgress",
    "TaskResult",
    "tune",
    "tune_with",
]
