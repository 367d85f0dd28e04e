"""The schedule of a window op without contraction; see `harl_mlir.space.sketches.window`."""

from __future__ import annotations

from harl_mlir.schedule.sketches.accumulation import emit

__all__ = ["emit"]
