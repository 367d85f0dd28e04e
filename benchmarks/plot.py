"""The plot: every case's ratio to its best peer, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_COLOURS = {"ahead": "#1a7f37", "tied": "#57606a", "behind": "#cf222e"}
_INCHES_A_CASE = 0.17


def write_plot(found: Mapping[str, Any], file: Path) -> None:
    """Draw it into a file whose suffix says the format. Needs matplotlib (extra `bench`)."""
    # Imported here because only this needs it: a run must not end for want of it before it is measured.
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}
    from matplotlib import pyplot

    cases = [case for case in found["cases"] if case["ratio_to_best_peer"] is not None]
    figure, axes = pyplot.subplots(
        figsize=(9, 1.2 + _INCHES_A_CASE * max(1, len(cases))), layout="constrained"
    )
    for row, case in enumerate(cases):
        low, high = case["interval"]
        colour = _COLOURS[case["verdict"]]
        axes.plot([low, high], [row, row], color=colour, linewidth=3, alpha=0.4, solid_capstyle="butt")
        axes.plot(case["ratio_to_best_peer"], row, "o", color=colour, markersize=3.5)
        if row and case["class"] != cases[row - 1]["class"]:
            axes.axhline(row - 0.5, color="#d0d7de", linewidth=0.6)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xscale("log")
    ticks = [0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=7)
    axes.minorticks_off()
    ratios = [bound for case in cases for bound in case["interval"]] or [1.0]
    axes.set_xlim(min(0.75, min(ratios) * 0.95), max(1.6, max(ratios) * 1.05))
    axes.set_yticks(range(len(cases)), [case["name"] for case in cases], fontsize=6)
    axes.set_ylim(max(1, len(cases)) - 0.5, -0.5)
    axes.set_xlabel("times the best peer of the case (log scale; bars: 95 % interval)")
    words = ", ".join(f"{word}: {sum(case['verdict'] == word for case in cases)}" for word in _COLOURS)
    axes.set_title(f"{found['machine']['processor']}, one core, f32 ({words})", fontsize=9)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    pyplot.close(figure)
