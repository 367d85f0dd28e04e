"""From the cells of the comparison to its figures."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.looptune.run import chosen_candidates, timed_as
from benchmarks.looptune.stages import Stage
from benchmarks.ratios import paired_ratio
from benchmarks.results import Absent, Decided, Loaded, Pass, Results, Searched, rounded
from benchmarks.suite import Case

UNTUNED, NUMPY, PRODUCT = "untuned", "numpy", "product"
RATIOS = (("over_untuned", UNTUNED), ("over_numpy", NUMPY), ("over_product", PRODUCT))
"""The ratios of every contender: the figure's name, and what it is to; above 1 the contender is faster."""

Found = dict[str, Any]


def summarise_looptune(results: Results, stages: Sequence[Stage]) -> Found:
    """The top level of the results file, for every problem with at least one pass."""
    found: Found = {}
    peaks: list[float] = []
    for stage in stages:
        problems = []
        for case in stage.cases:
            passes = list(results.passes(stage.key(case).name).values())
            if passes:
                problems.append(_problem(results, stage, case, passes))
                peaks += [peak for made in passes for peak in made.peaks]
        if problems:
            found[stage.name] = {"means": _means(stage, problems), "problems": problems}
    versions = {c.contender: c.version for c in results.cells if isinstance(c, Loaded)}
    peak = rounded(statistics.median(peaks) / 1e9) if peaks else None
    return {"peak_gflops": peak, "versions": versions, "stages": found}


def _problem(results: Results, stage: Stage, case: Case, passes: Sequence[Pass]) -> Found:
    key = stage.key(case).name
    timed = set.intersection(*(set(made.seconds) for made in passes))
    known = timed_as(chosen_candidates(results, key), stage.contenders)
    known |= {name: name for name in stage.contenders if name in timed and name not in known}
    known = {name: other for name, other in known.items() if other in timed}
    samples = {name: [made.seconds[other] for made in passes] for name, other in known.items()}
    contenders = {name: _contender(results, key, case, name, samples, passes) for name in samples}
    best = max((of["gflops"] for of in contenders.values()), default=0.0)
    return {
        "name": case.name,
        "flops": case.flops,
        "passes": len(passes),
        "disturbed_passes": sum(made.disturbed for made in passes),
        "fastest": [name for name, of in contenders.items() if of["gflops"] == best],
        "contenders": contenders,
        "absent": {n: cell.reason for n, cell in results.of(Absent, key).items() if n not in contenders},
    }


def _contender(
    results: Results,
    key: str,
    case: Case,
    name: str,
    samples: Mapping[str, Sequence[Sequence[float]]],
    passes: Sequence[Pass],
) -> Found:
    medians = [statistics.median(of) for of in samples[name]]
    shares = (case.flops / s / statistics.mean(p.peaks) for s, p in zip(medians, passes, strict=True))
    found: Found = {
        "gflops": rounded(case.flops / statistics.median(medians) / 1e9),
        "share_of_peak": rounded(statistics.median(shares)),
        **{
            ratio: rounded(paired_ratio(samples[name], samples[other])) if other in samples else None
            for ratio, other in RATIOS
        },
        "seconds": None,
        "evaluations": None,
    }
    if decided := results.of(Decided, key).get(name):
        found |= {"seconds": decided.seconds, "evaluations": decided.evaluations}
        found["chosen"] = None if decided.candidate is None else dict(decided.candidate.values)
    elif searched := results.of(Searched, key).get(name):
        found |= {"seconds": searched.seconds, "evaluations": len(searched.trials)}
    elif loaded := results.of(Loaded, key).get(name):
        found["seconds"] = loaded.tuning_seconds
    return found


def _means(stage: Stage, problems: Sequence[Found]) -> Found:
    """Of each contender over its problems: geometric means of ratios, means of seconds, wins."""
    found: Found = {}
    for name in stage.contenders:
        own = [(p, p["contenders"][name]) for p in problems if name in p["contenders"]]
        if not own:
            continue
        made: Found = {"problems": len(own)}
        for ratio, _ in RATIOS:
            known = [of[ratio] for _, of in own if of[ratio] is not None]
            made[ratio] = rounded(statistics.geometric_mean(known)) if known else None
            made[f"at_least_{ratio.removeprefix('over_')}"] = sum(value >= 1 for value in known)
        made["share_of_peak"] = rounded(statistics.median(of["share_of_peak"] for _, of in own))
        for cost in ("seconds", "evaluations"):
            known = [of[cost] for _, of in own if of[cost] is not None]
            made[f"mean_{cost}"] = rounded(statistics.mean(known)) if known else None
        made["most_seconds"] = max(
            (of["seconds"] for _, of in own if of["seconds"] is not None), default=None
        )
        made["wins"] = sum(name in p["fastest"] for p, _ in own)
        found[name] = made
    return found
