"""A comparison as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from harl_mlir.lab.chart import chart, colour
from harl_mlir.lab.runs import Run
from harl_mlir.lab.statistics import curve_over_seconds, curve_over_trials

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.7em 0;display:block;overflow-x:auto}
td,th{border-bottom:1px solid #ccc;padding:.2em .7em;text-align:right}
td:first-child,th:first-child{text-align:left}.charts{display:flex;flex-wrap:wrap;gap:1em}
svg{width:460px;max-width:100%;height:auto}.grid{stroke:#ddd}.left{text-anchor:end}.below{text-anchor:middle}
svg text{font-size:11px;fill:#555}.dot{display:inline-block;width:.8em;height:.8em;margin-right:.4em}
.best{font-weight:bold}.note{color:#555}
"""


def page(content: Mapping[str, Any], runs: Sequence[Run]) -> str:
    """The page for what `Comparison.content` gives."""
    agents, workloads = list(content["agents"]), list(content["workloads"])
    colours = {agent: colour(number) for number, agent in enumerate(agents)}
    share = f"{100 * content['share']:g} %"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Search policies compared</title>',
        f"<style>{_STYLE}</style></head><body><h1>Search policies compared</h1>",
        f"<p>{content['trials']} trials a run, up to {content['seeds']} seeds; "
        f"harl_mlir {content['version']}. Trials until {share} of the best throughput: median over seeds, "
        "a dash where half of the runs or more did not get there.</p>",
        _trials_table(content, agents, workloads, colours),
        _ratio_table(content, workloads, share),
    ]
    for name in workloads:
        parts.append(_workload(content, name, agents, colours, runs))
    return "\n".join([*parts, "</body></html>", ""])


def _trials_table(
    content: Mapping[str, Any], agents: Sequence[str], workloads: Sequence[str], colours: Mapping[str, str]
) -> str:
    medians = {a: content["agents"][a]["median_trials_to_95"] for a in agents}
    rows = [_row("th", ["agent", *workloads, "agent's share of the time"])]
    for agent in agents:
        cells = [f'<span class="dot" style="background:{colours[agent]}"></span>{escape(agent)}']
        for name in workloads:
            least = min((m[name] for m in medians.values() if m[name] is not None), default=None)
            value = medians[agent][name]
            text = "&ndash;" if value is None else f"{value:g}"
            cells.append(
                f'<span class="best">{text}</span>' if value is not None and value == least else text
            )
        spent = content["agents"][agent]["agent_share_of_time"]
        cells.append("" if spent is None else f"{100 * spent:.1f} %")
        rows.append(_row("td", cells, escaped=True))
    return f"<table>{''.join(rows)}</table>"


def _ratio_table(content: Mapping[str, Any], workloads: Sequence[str], share: str) -> str:
    measure, others = content["against"]["measure"], content["against"]["others"]
    if not others:
        return ""
    rows = [_row("th", ["agent", *workloads, "all"])]
    for agent, numbers in others.items():
        each = [*(numbers["trials_ratio"][name] for name in workloads), numbers["trials_ratio_all"]]
        cells = [
            f"{n['estimate']:.2f} [{n['low']:.2f}, {n['high']:.2f}]" + ("" if n["arrived"] else " *")
            for n in each
        ]
        rows.append(_row("td", [agent, *cells]))
    gain_rows = [_row("th", ["agent", *workloads])]
    for agent, numbers in others.items():
        gains = [numbers["final_share_gain"][name] for name in workloads]
        cells = [f"{g['estimate']:+.3f} [{g['low']:+.3f}, {g['high']:+.3f}]" for g in gains]
        gain_rows.append(_row("td", [agent, *cells]))
    name = escape(measure)
    return (
        f"<h2>Against {name}</h2><p>Median trials to {share}, the other's over {name}'s (above 1: {name} "
        "needs fewer; a run that did not get there counts as one trial more than it had; * marks medians of "
        "such runs), with 95 % intervals "
        f"of the bootstrap over paired seeds; last the geometric mean.</p><table>{''.join(rows)}</table>"
        f"<p>Mean gain of {name} in the share of the best throughput after all trials.</p>"
        f"<table>{''.join(gain_rows)}</table>"
    )


def _workload(
    content: Mapping[str, Any],
    name: str,
    agents: Sequence[str],
    colours: Mapping[str, str],
    runs: Sequence[Run],
) -> str:
    about = content["workloads"][name]
    own = {a: [r for r in runs if (r.workload, r.agent) == (name, a)] for a in agents}
    best, trials = about["best_seconds"], content["trials"]
    over_trials = {a: curve_over_trials(own[a], best, trials) for a in agents}
    longest = sorted(run.seconds for of_agent in own.values() for run in of_agent)
    most = longest[int(0.9 * (len(longest) - 1))]
    over_seconds = {a: curve_over_seconds(own[a], best, most) for a in agents}
    tasks = ", ".join(
        escape(task["op"]) + (f" x{task['weight']}" if task["weight"] > 1 else "") for task in about["tasks"]
    )
    points = (
        f"{about['points']} candidates, {100 * about['share_near_best']:.2f} % within 5 % of the best"
        if about["points"]
        else "measured live; the best is the best of all runs"
    )
    return (
        f'<h2>{escape(name)}</h2><p class="note">{tasks}; {points}; {about["seeds"]} seeds. '
        "Share of the best throughput: median and quartiles.</p>"
        f'<div class="charts">{chart(over_trials, colours, "trials")}'
        f"{chart(over_seconds, colours, 'seconds')}</div>"
    )


def _row(tag: str, cells: Sequence[str], escaped: bool = False) -> str:
    return "<tr>" + "".join(f"<{tag}>{c if escaped else escape(c)}</{tag}>" for c in cells) + "</tr>"
