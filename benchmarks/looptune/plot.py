"""The plot: the speed-ups of every contender over the untuned nest, each sorted by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.looptune.stages import HELD_OUT

_COLOURS = {
    "product": "#cf222e", "paper": "#bf8700", "greedy": "#8250df", "beam": "#0969da", "random": "#1a7f37",
    "default": "#57606a", "numpy": "#000000", "scalar": "#8c959f",
}  # fmt: skip


def write_looptune_plot(found: Mapping[str, Any], file: Path) -> None:
    """Draw the first stage into a file whose suffix says the format. Needs matplotlib (extra `bench`)."""
    # Imported here because only this needs it: a run must not end for want of it before it is measured.
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}
    from matplotlib import pyplot

    problems = found["stages"].get(HELD_OUT, {}).get("problems", [])
    figure, axes = pyplot.subplots(figsize=(9, 5), layout="constrained")
    for name, colour in _COLOURS.items():
        of = (problem["contenders"].get(name, {}).get("over_untuned") for problem in problems)
        ratios = sorted(ratio for ratio in of if ratio is not None)
        if ratios:
            axes.plot(range(1, len(ratios) + 1), ratios, color=colour, linewidth=1.4, label=name)
    axes.axhline(1.0, color="black", linewidth=0.6)
    axes.set_yscale("log")
    axes.set_xlabel("problems, in the order of the contender's own speed-ups")
    axes.set_ylabel("times the untuned nest (log scale)")
    processor = found["machine"]["processor"]
    axes.set_title(f"{len(problems)} matmuls never trained on; {processor}, one core, f32", fontsize=9)
    if axes.lines[:-1]:
        axes.legend(fontsize=8, frameon=False)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    pyplot.close(figure)
