"""The summary of a comparison as plain data: what goes into the JSON file and onto the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from harl_mlir.lab import statistics
from harl_mlir.lab.runs import Run, Workload

_Runs = dict[tuple[str, str], list[Run]]


def summarise(
    runs: Sequence[Run], workloads: Sequence[Workload], agents: Sequence[str], trials: int
) -> dict[str, Any]:
    """Workloads, what each agent did on each, and how the others compare with the first agent.

    A median is None where more than half of the runs did not arrive. Only seeds that every agent has on a
    workload are counted, so that all are compared on the same ones.
    """
    paired = _paired(runs, workloads, agents)
    best = {
        w.name: statistics.reference_seconds(w.best_seconds, [r for r in runs if r.workload == w.name])
        for w in workloads
    }
    known = [w for w in workloads if paired[w.name, agents[0]] and math.isfinite(best[w.name])]
    return {
        "share": statistics.SHARE,
        "workloads": {w.name: _workload(w, best[w.name], len(paired[w.name, agents[0]])) for w in known},
        "agents": {agent: _agent(agent, paired, known, best) for agent in agents},
        "against": {
            "measure": agents[0],
            "others": {a: _against(a, agents[0], paired, known, best, trials) for a in agents[1:] if known},
        },
    }


def _paired(runs: Sequence[Run], workloads: Sequence[Workload], agents: Sequence[str]) -> _Runs:
    """The runs of each workload and agent by seed, for seeds that all agents have."""
    found: _Runs = {}
    for workload in workloads:
        by_agent = {
            agent: {r.seed: r for r in runs if (r.workload, r.agent) == (workload.name, agent)}
            for agent in agents
        }
        common = sorted(set.intersection(*(set(by_seed) for by_seed in by_agent.values())))
        for agent, by_seed in by_agent.items():
            found[workload.name, agent] = [by_seed[seed] for seed in common]
    return found


def _workload(workload: Workload, best: float, seeds: int) -> dict[str, Any]:
    recording = workload.recording
    return {
        "digest": workload.digest,
        "times": "recorded" if recording else "measured",
        "tasks": [{"op": task.label(), "weight": task.weight} for task, _ in workload.tasks],
        "sketches": [len(spaces) for _, spaces in workload.tasks],
        "points": sum(task.points for task in recording.tasks) if recording else None,
        "share_near_best": max(t.share_near_best for t in recording.tasks) if recording else None,
        "best_seconds": best,
        "seeds": seeds,
    }


def _agent(
    agent: str, paired: _Runs, workloads: Sequence[Workload], best: dict[str, float]
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: {}
        for name in (
            "median_trials_to_95",
            "arrived",
            "median_seconds_to_95",
            "median_final_share",
        )
    }
    spent = own = 0.0
    for workload in workloads:
        runs, reference = paired[workload.name, agent], best[workload.name]
        reached = statistics.trials_to_share(runs, reference)
        seconds = [run.seconds_to(reference / statistics.SHARE) for run in runs]
        fields["median_trials_to_95"][workload.name] = statistics.median_or_none(reached)
        fields["arrived"][workload.name] = sum(n is not None for n in reached)
        fields["median_seconds_to_95"][workload.name] = statistics.median_or_none(seconds)
        final = statistics.final_shares(runs, reference)
        fields["median_final_share"][workload.name] = float(np.median(final))
        spent += sum(run.seconds for run in runs)
        own += sum(run.agent_seconds for run in runs)
    return {**fields, "agent_share_of_time": own / spent if spent else None}


def _against(
    agent: str,
    measure: str,
    paired: _Runs,
    workloads: Sequence[Workload],
    best: dict[str, float],
    trials: int,
) -> dict[str, Any]:
    """The other's trials over the measure's (above 1: the measure needs fewer), and final shares."""
    numbers = {
        name: [
            statistics.censored(statistics.trials_to_share(paired[w.name, name], best[w.name]), trials)
            for w in workloads
        ]
        for name in (agent, measure)
    }
    each = {
        w.name: _ratio([other], [own], trials)
        for w, other, own in zip(workloads, numbers[agent], numbers[measure], strict=True)
    }
    final = {
        w.name: asdict(
            statistics.mean_difference(
                statistics.final_shares(paired[w.name, agent], best[w.name]),
                statistics.final_shares(paired[w.name, measure], best[w.name]),
            )
        )
        for w in workloads
    }
    return {
        "trials_ratio": each,
        "trials_ratio_all": _ratio(numbers[agent], numbers[measure], trials),
        "final_share_gain": final,
    }


def _ratio(
    others: Sequence[statistics.Numbers], own: Sequence[statistics.Numbers], trials: int
) -> dict[str, Any]:
    """The ratio; `arrived` says whether all medians behind it did, as it is only bounded where not."""
    arrived = all(float(np.median(numbers)) <= trials for numbers in (*others, *own))
    return {**asdict(statistics.ratio_of_medians(others, own)), "arrived": arrived}
