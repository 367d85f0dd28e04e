"""Warnings about plug-ins, said as everything else is."""

from __future__ import annotations

import warnings
from typing import TextIO

from harl_mlir.cli.terminal import Terminal
from harl_mlir.plugins import PluginWarning


def show_plugin_warnings(terminal: Terminal) -> None:
    """Show a `PluginWarning` as a line of progress from now on; others as they were."""
    before = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, PluginWarning):
            terminal.progress(f"harl-mlir: warning: {message}")
        else:
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show
