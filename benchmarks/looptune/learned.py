"""What the agent was trained to, as the comparison asks for it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.looptune.decisions import Learned

WEIGHTS = Path(__file__).parents[2] / "harl_mlir" / "weights" / "looptune"


def shipped() -> Learned | None:
    """The weights that come with the package; None without any."""
    return None
