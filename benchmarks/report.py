"""Results for people: a Markdown table and a plot."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.criteria import criterion_lines
from benchmarks.plot import write_plot
from benchmarks.ratios import CAP

_GIB, _MIB, _KIB = 2**30, 2**20, 2**10
_FIRST_WORDS = 90
"""Of the reason why a contender has no time; the rest is in the JSON."""


def write_report(file: Path, folder: Path) -> Path:
    """Write `FILE.md` and `FILE.svg` of a results file into `folder`; the path of the former."""
    found = json.loads(file.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    report, plot = folder / f"{file.stem}.md", folder / f"{file.stem}.svg"
    write_plot(found, plot)
    report.write_text(markdown(found, plot.name), encoding="utf-8")
    return report


def markdown(found: Mapping[str, Any], plot: str) -> str:
    """The whole report."""
    parts = [
        "# Speed beside other libraries",
        machine_line(found),
        _method(found["settings"]),
        *_particulars(found["cases"]),
        _headline(found),
        f"![Ratio to the best peer of each case]({plot})",
        "## Classes",
        _classes(found),
        *_criteria(found),
        "## Cases",
        "GFLOP/s, or microseconds (us) of cases without multiply-adds, the median over the passes; the best"
        " of ours and of the peers in bold.",
        _cases(found),
    ]
    missing = _without_time(found)
    if missing:
        parts += ["## Without a time", missing]
    return "\n\n".join(parts) + "\n"


def machine_line(found: Mapping[str, Any]) -> str:
    """A paragraph on the machine and the versions of a results file."""
    m = found["machine"]
    peak = found["peak_gflops"]
    versions = {**{k: v for k, v in m["versions"].items() if v}, **found.get("versions", {})}
    return wrapped(
        f"One core of {m['processor']} ({', '.join(m['features'])}); L1 {m['l1_bytes'] // _KIB} KiB,"
        f" L2 {m['l2_bytes'] // _KIB} KiB, L3 {m['l3_bytes'] // _MIB} MiB; {m['cores']} cores,"
        f" {m['memory_bytes'] / _GIB:.0f} GiB. {m['system']}, Python {m['python']}."
        f" FMA peak {number(peak)} GFLOP/s (f32, the median of all probes)."
        f" Commit {m['commit']}. Versions: {', '.join(f'{name} {v}' for name, v in versions.items())}."
    )


def _method(settings: Mapping[str, Any]) -> str:
    return wrapped(
        f"Ours start from an empty database: {settings['seconds']:g} s or {settings['trials']} trials,"
        f" whichever ends first. Every output was checked. {settings['passes']} passes a case, contenders in"
        " turns on one core, each pass between two probes of the peak and repeated if they differ by more"
        " than 3 %. A ratio is the best of our tuned contenders to the best peer of the case, the median of"
        " the passes' ratios; its interval holds 95 % of the ratios of resampled passes and samples. `ahead`"
        f" means that all of it is above 1. In geometric means a case counts for {CAP:g} at most."
        " All contenders get every operand with the call, but for `inductor_frozen`, which lays its constant"
        " filter out when it compiles: it is shown, and no ratio is taken to it."
    )


def _particulars(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    """What holds for some cases only."""
    said = []
    if any(case.get("accuracy") == "approximate" for case in cases):
        said.append(
            "Where something else than contractions is computed, ours have `--accuracy approximate`: the"
            " peers' exponentials and the like are approximations too."
        )
    if any(case.get("share_of_bandwidth") is not None for case in cases):
        said.append(
            "The bandwidth is that of a loop that reads and writes as many bytes as the case, right before"
            " and after ours; each operand counts once."
        )
    if any(case.get("threads", 1) > 1 for case in cases):
        said.append(
            "Cases with several threads have a core for each, for every contender; one that is not being"
            " timed is stopped. `x` says how many times faster ours is than ours tuned for one thread,"
            " and in brackets how many times the bandwidth of one thread all have, in the same passes."
        )
    return [wrapped(" ".join(said))] if said else []


def _headline(found: Mapping[str, Any]) -> str:
    whole = found["whole"]
    if whole is None:
        return "No case has both one of ours and a peer."
    return wrapped(
        f"**{whole['geomean']:.3f}x the best peer of each case** ({_interval(whole['interval'])}), geometric"
        f" mean of {whole['cases']} cases; mean of the classes {found['mean_of_classes']:.3f}."
        f" {whole['ahead']} cases ahead, {whole['tied']} tied, {whole['behind']} behind. Median share of the"
        f" peak {percent(whole['share_of_peak'])}; median trial 0 {percent(whole['trial_0_share'])} of the"
        " tuned result."
    )


def _classes(found: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            f"{group['geomean']:.3f}",
            _interval(group["interval"]),
            group["verdict"],
            f"{group['ahead']} / {group['tied']} / {group['behind']}",
            percent(group["share_of_peak"]),
            percent(group["trial_0_share"]),
        ]
        for name, group in found["class_details"].items()
    ]
    head = ["class", "ratio", "95 %", "", "cases ahead / tied / behind", "share of peak", "trial 0 of tuned"]
    return table(head, rows)


def _criteria(found: Mapping[str, Any]) -> list[str]:
    """What the classes with a goal reach of it."""
    lines = criterion_lines(found.get("criteria", []))
    return ["\n".join(f"- {line}" for line in lines)] if lines else []


def _cases(found: Mapping[str, Any]) -> str:
    names = list(dict.fromkeys(name for case in found["cases"] for name in case["contenders"]))
    rows = []
    for case in found["cases"]:
        ratio = case["ratio_to_best_peer"]
        mark = " (disturbed)" if case["disturbed_passes"] else ""
        rows.append(
            [
                case["name"] + mark,
                number(ratio, 3),
                _interval(case["interval"]) if ratio is not None else "",
                case["verdict"] if ratio is not None else "",
                percent(case["share_of_peak"]),
                percent(case.get("share_of_bandwidth")),
                _speedup(case),
                *(_rate(case, name) for name in names),
            ]
        )
    return table(["case", "ratio", "95 %", "", "of peak", "of bandwidth", "threads", *names], rows)


def _speedup(case: Mapping[str, Any]) -> str:
    if case.get("speedup") is None:
        return ""
    gain = case.get("memory_gain")
    return f"{case['speedup']:.2f} x" + (f" (copy {gain:.2f} x)" if gain is not None else "")


def _rate(case: Mapping[str, Any], name: str) -> str:
    contender = case["contenders"].get(name)
    if contender is None:
        return ""
    rate = contender["gflops_median"]
    if rate is None and "seconds_median" not in contender:
        return "slow" if "slower_than_seconds" in contender else "-"
    text = f"{1e6 * contender['seconds_median']:.4g} us" if rate is None else number(rate)
    return f"**{text}**" if name in (case["best_ours"], case["best_peer"]) else text


def _without_time(found: Mapping[str, Any]) -> str:
    """Which contenders failed or are missing where, by reason. What a peer does not offer is left out."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for case in found["cases"]:
        for name, contender in case["contenders"].items():
            for kind in ("failed", "not_installed"):
                if kind in contender:
                    text = textwrap.shorten(contender[kind], _FIRST_WORDS, placeholder=" ...")
                    reasons.setdefault((name, text), []).append(case["name"])
    return "\n".join(
        f"- {name}, {len(cases)} cases ({cases[0]}{', ...' if len(cases) > 1 else ''}): {text}"
        for (name, text), cases in reasons.items()
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _interval(bounds: Sequence[float]) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}"


def number(value: float | None, digits: int = 1) -> str:
    """A number, `-` where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """A share, `-` where there is none."""
    return "-" if share is None else f"{100 * share:.0f} %"


def wrapped(text: str) -> str:
    """A paragraph in lines."""
    return textwrap.fill(text, 110, break_long_words=False, break_on_hyphens=False)
