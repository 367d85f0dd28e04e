"""From the cells of `live` to its figures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.ratios import paired_ratio
from benchmarks.results import Loaded, Pass, Results, Searched, rounded
from benchmarks.suite import Case

METASCHEDULE = "metaschedule"
NEAR = 1.05
"""Within 5 % of the long run."""

Samples = Mapping[str, Sequence[Sequence[float]]]


def summarise_live(results: Results, suite: Sequence[Case]) -> dict[str, Any]:
    """The top level of the results file, for every case with at least one pass."""
    cases, peaks = [], list[float]()
    for case in suite:
        passes = list(results.passes(case.name).values())
        if passes:
            cases.append(_case(results, case, passes))
            peaks += [peak for made in passes for peak in made.peaks]
    versions = {c.contender: c.version for c in results.cells if isinstance(c, Loaded)}
    peak = rounded(statistics.median(peaks) / 1e9) if peaks else None
    return {"peak_gflops": peak, "versions": versions, "means": _means(cases), "cases": cases}


def _means(cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of each agent, the geometric means over the cases of its medians."""
    found: dict[str, Any] = {}
    for agent in dict.fromkeys(agent for case in cases for agent in case["agents"]):
        of_cases = [case["agents"][agent] for case in cases if agent in case["agents"]]
        found[agent] = {"cases": len(of_cases)}
        for name in ("ratio_to_metaschedule", "ratio_to_long", "times_sooner"):
            known = [of_case[name] for of_case in of_cases if of_case[name]]
            found[agent][name] = rounded(statistics.geometric_mean(known)) if known else None
    return found


def _case(results: Results, case: Case, passes: Sequence[Pass]) -> dict[str, Any]:
    timed = set.intersection(*(set(made.seconds) for made in passes))
    samples = {name: [made.seconds[name] for made in passes] for name in sorted(timed)}
    searched = [cell for name, cell in results.of(Searched, case.name).items() if name in timed]
    trials = results.settings["trials"]
    long = next((cell for cell in searched if cell.budget == results.settings["long_trials"]), None)
    tuning = None
    if METASCHEDULE in timed:
        tuning = results.of(Loaded, case.name)[METASCHEDULE].tuning_seconds
    runs = [(cell, _run(case, cell, samples, long)) for cell in searched if cell.budget == trials]
    agents = list(dict.fromkeys(cell.agent for cell, _ in runs))
    return {
        "name": case.name,
        "flops": case.flops,
        "passes": len(passes),
        "disturbed_passes": sum(made.disturbed for made in passes),
        METASCHEDULE: None
        if METASCHEDULE not in timed
        else {"gflops": _rate(case, samples[METASCHEDULE]), "tuning_seconds": tuning},
        "long": None if long is None else _run(case, long, samples, long),
        "agents": {a: _agent([run for cell, run in runs if cell.agent == a], tuning) for a in agents},
    }


def _run(case: Case, cell: Searched, samples: Samples, long: Searched | None) -> dict[str, Any]:
    """One run; its curve holds the moments at which it got better, and the rates then."""
    ours = samples[cell.contender]
    rate = _rate(case, ours)
    made = curve(cell.trials)
    found: dict[str, Any] = {
        "agent": cell.agent,
        "seed": cell.seed,
        "gflops": rate,
        "wall_seconds": cell.seconds,
        "trials": len(cell.trials),
        "failures": sum(seconds is None for _, seconds in cell.trials),
        "curve": [[at, rounded(rate * share)] for at, share in made],
    }
    if METASCHEDULE in samples:
        ratio = paired_ratio(ours, samples[METASCHEDULE])
        found["ratio_to_metaschedule"] = rounded(ratio)
        found["seconds_to_metaschedule"] = reached(made, 1 / ratio)
    if long is not None:
        ratio = paired_ratio(ours, samples[long.contender])
        found["ratio_to_long"] = rounded(ratio)
        found["seconds_to_near_long"] = reached(made, 1 / (ratio * NEAR))
    return found


def curve(trials: Iterable[tuple[float, float | None]]) -> list[tuple[float, float]]:
    """Seconds at which a run got better, and its best speed then as a share of that at its end."""
    best, improved = math.inf, list[tuple[float, float]]()
    for at, seconds in trials:
        if seconds is not None and seconds < best:
            best = seconds
            improved.append((at, seconds))
    return [(at, best / seconds) for at, seconds in improved]


def reached(made: Sequence[tuple[float, float]], share: float) -> float | None:
    """Seconds at which the speed had come to a share of that at the end; None if it never did."""
    return next((at for at, there in made if there >= share), None)


def _agent(runs: Sequence[Mapping[str, Any]], tuning: float | None) -> dict[str, Any]:
    """Medians over the seeds. A run that never got there counts as one that takes for ever."""
    found: dict[str, Any] = {"runs": runs}
    for name in ("gflops", "wall_seconds", "trials", "ratio_to_metaschedule", "ratio_to_long"):
        found[name] = _median([run[name] for run in runs if name in run])
    first = [run["curve"][0][0] for run in runs if run["curve"]]
    found["first_seconds"] = _median(first)
    for goal in ("metaschedule", "near_long"):
        name = f"seconds_to_{goal}"
        times = [run[name] for run in runs if name in run]
        found[f"reached_{goal}"] = sum(at is not None for at in times)
        found[name] = _median([math.inf if at is None else at for at in times])
    ours = found["seconds_to_metaschedule"]
    found["times_sooner"] = rounded(tuning / ours) if tuning and ours else None
    return found


def _median(values: Sequence[float]) -> float | None:
    middle = statistics.median(values) if values else math.inf
    return rounded(middle) if math.isfinite(middle) else None


def _rate(case: Case, samples: Sequence[Sequence[float]]) -> float:
    """GFLOP/s: the median over the passes."""
    return rounded(case.flops / statistics.median(map(statistics.median, samples)) / 1e9)
