"""From cells to the figures of the results file."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarks.criteria import criteria
from benchmarks.ours import AGENTS, ONE_THREAD, OURS
from benchmarks.peer_process import CONTENDERS
from benchmarks.ratios import Array, capped_geomean, interval, paired_ratio, resampled_ratios, verdict
from benchmarks.results import Absent, Loaded, Pass, Results, Slow, Tuned, rounded
from benchmarks.suite import Case


def summarise(results: Results, suite: Sequence[Case]) -> dict[str, Any]:
    """The top level of the results file, for every case with at least one pass.

    Ratios are those of the best of our tuned contenders to the best peer, both by their median.
    """
    cases, draws = [], defaultdict[str, list[Array]](list)
    peaks: list[float] = []
    for case in suite:
        passes = list(results.passes(case.name).values())
        if not passes:
            continue
        peaks += [peak for made in passes for peak in made.peaks]
        found, resampled = _case(results, case, passes)
        cases.append(found)
        if resampled is not None:
            draws[case.category].append(resampled)
    compared = [case for case in cases if case["ratio_to_best_peer"] is not None]
    every = [draw for of_class in draws.values() for draw in of_class]
    details = {
        name: _group([case for case in compared if case["class"] == name], of_class)
        for name, of_class in draws.items()
    }
    classes = {name: group["geomean"] for name, group in details.items()}
    whole = _group(compared, every) if compared else None
    return {
        "peak_gflops": rounded(statistics.median(peaks) / 1e9) if peaks else None,
        "geomean_ratio": whole["geomean"] if whole else None,
        "mean_of_classes": rounded(statistics.mean(classes.values())) if classes else None,
        "classes": classes,
        "class_details": details,
        "criteria": criteria(cases),
        "whole": whole,
        "cases": cases,
        "versions": _versions(results),
    }


def _case(results: Results, case: Case, passes: Sequence[Pass]) -> tuple[dict[str, Any], Array | None]:
    timed = set.intersection(*(set(made.seconds) for made in passes))
    samples = {name: [made.seconds[name] for made in passes] for name in sorted(timed)}
    medians = {name: statistics.median(map(statistics.median, of)) for name, of in samples.items()}
    ours = min((n for n in AGENTS if n in medians), key=medians.__getitem__, default=None)
    peers = (n for n in medians if n in CONTENDERS and CONTENDERS[n].is_compared)
    peer = min(peers, key=medians.__getitem__, default=None)
    found: dict[str, Any] = {
        "name": case.name,
        "class": case.category,
        "flops": case.flops,
        "passes": len(passes),
        "disturbed_passes": sum(made.disturbed for made in passes),
        "contenders": _contenders(results, case, samples, medians),
        "best_ours": ours,
        "best_peer": peer,
        "share_of_peak": _share(case, passes, ours),
        "share_of_bandwidth": _share_of_bandwidth(case, passes, ours),
        "bound_by_memory": case.bound_by_memory,
        "memory_gain": _memory_gain(passes),
        "threads": case.threads,
        "accuracy": case.accuracy,
        "speedup": rounded(paired_ratio(samples[ours], samples[ONE_THREAD]))
        if ours and ONE_THREAD in samples
        else None,
        "trial_0_share": rounded(medians[ours] / medians["default"])
        if ours and "default" in medians
        else None,
        "ratio_to_best_peer": None,
    }
    if ours is None or peer is None:
        return found, None
    draws = resampled_ratios(samples[ours], samples[peer])
    bounds = interval(draws)
    found |= {
        "ratio_to_best_peer": rounded(paired_ratio(samples[ours], samples[peer])),
        "interval": [rounded(bound) for bound in bounds],
        "verdict": verdict(bounds),
        "ratios": {n: rounded(paired_ratio(samples[n], samples[peer])) for n in AGENTS if n in samples},
    }
    return found, draws


def _contenders(
    results: Results, case: Case, samples: dict[str, list[list[float]]], medians: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """What is known of each contender; of those without a time, why."""
    found = defaultdict[str, dict[str, Any]](lambda: {"gflops_median": None, "gflops_best": None})
    for name, absent in results.of(Absent, case.name).items():
        if name in medians:
            continue  # installed since
        found[name][absent.kind] = absent.reason
    for name, slow in results.of(Slow, case.name).items():
        if slow.seconds is None:
            found[name]["slower_than_seconds"] = slow.slower_than
        else:
            rate = _rate(case, slow.seconds)
            found[name] |= {
                "gflops_median": rate, "gflops_best": rate, "seconds_median": slow.seconds, "samples": 1
            }  # fmt: skip
    for name, median in medians.items():
        best = min(min(of) for of in samples[name])
        found[name] |= {
            "gflops_median": _rate(case, median),
            "gflops_best": _rate(case, best),
            "seconds_median": rounded(median),
            "samples": sum(map(len, samples[name])),
        }
    for name, tuned in results.of(Tuned, case.name).items():
        found[name] |= {
            "trials": tuned.trials, "failures": tuned.failures, "tune_seconds": rounded(tuned.seconds)
        }  # fmt: skip
    for name, loaded in results.of(Loaded, case.name).items():
        found[name]["build_seconds"] = rounded(loaded.build_seconds)
    return {name: found[name] for name in (*OURS, *CONTENDERS) if name in found}


def _rate(case: Case, seconds: float) -> float | None:
    """GFLOP/s; None of a case without multiply-adds."""
    return rounded(case.flops / seconds / 1e9) if case.flops else None


def _share(case: Case, passes: Sequence[Pass], ours: str | None) -> float | None:
    """Of the FMA peak, measured in the same passes."""
    if ours is None or not case.flops:
        return None
    shares = (
        case.flops / statistics.median(made.seconds[ours]) / statistics.mean(made.peaks) for made in passes
    )
    # The probes have one core.
    return rounded(statistics.median(shares) / case.threads)


def _share_of_bandwidth(case: Case, passes: Sequence[Pass], ours: str | None) -> float | None:
    """Of the bandwidth measured beside ours at the case's footprint: each operand moved once."""
    if ours is None or not all(made.bandwidths for made in passes):
        return None
    moved = case.read_bytes + case.written_bytes
    return rounded(
        statistics.median(
            moved
            / statistics.median(made.seconds[ours])
            / statistics.mean(made.bandwidths_beside.get(ours, made.bandwidths))
            for made in passes
        )
    )


def _memory_gain(passes: Sequence[Pass]) -> float | None:
    """How many times the bandwidth of one thread all threads of the case had together, in the same passes."""
    if not all(made.bandwidths_alone for made in passes):
        return None
    gains = (statistics.mean(made.bandwidths) / statistics.mean(made.bandwidths_alone) for made in passes)
    return rounded(statistics.median(gains))


def _group(cases: Sequence[dict[str, Any]], draws: Sequence[Array]) -> dict[str, Any]:
    """Several cases together."""
    bounds = interval(capped_geomean(draws))
    zeros = _known(cases, "trial_0_share")
    shares = _known(cases, "share_of_peak")
    return {
        "geomean": rounded(float(capped_geomean([case["ratio_to_best_peer"] for case in cases]))),
        "interval": [rounded(bound) for bound in bounds],
        "verdict": verdict(bounds),
        "cases": len(cases),
        **{word: sum(case["verdict"] == word for case in cases) for word in ("ahead", "tied", "behind")},
        "share_of_peak": statistics.median(shares) if shares else None,
        "trial_0_share": statistics.median(zeros) if zeros else None,
    }


def _known(cases: Sequence[dict[str, Any]], figure: str) -> list[float]:
    return [case[figure] for case in cases if case[figure] is not None]


def _versions(results: Results) -> dict[str, str]:
    return {cell.contender: cell.version for cell in results.cells if isinstance(cell, Loaded)}
