"""`torch.compile` with this backend beside eager mode and inductor: `python -m benchmarks.torch_compile`.

Each model is compiled by both backends, ours with a budget of tuning, and called by the three in turns in
this process, on one core with one thread. A ratio is the median over rounds of the ratio within a round.
Beside it stands where our time goes: the tasks of the graph, each timed on its own while it was tuned, with
operands in the cache; what the whole takes more is memory that is read from further away, and the calls.

inductor needs a C++ compiler.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import this_machine

CALLS = 5
"""Timed calls of a contender in a round, after one that is not timed."""

_CONTENDERS = ("eager", "inductor", "harl_mlir")


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every case, print the table, write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torch_compile", description=__doc__)
    parser.add_argument("--case", nargs="+", metavar="NAME", help="only these models")
    parser.add_argument("--seconds", type=float, default=120.0, help="of tuning a model (default 120)")
    parser.add_argument("--rounds", type=int, default=60, help="default 60")
    parser.add_argument("--core", type=int, help="everything is pinned to it (default: the last one)")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="results as JSON; the table beside it")
    options = parser.parse_args(arguments)
    _alone(options.core)
    machine = this_machine(max(os.sched_getaffinity(0)))
    found: dict[str, Any] = {"machine": machine, "seconds": options.seconds, "cases": {}}
    for name in options.case or _names():
        found["cases"][name] = timed(name, options.seconds, options.rounds)
        if options.json:
            options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(table({name: found["cases"][name]}), flush=True)
    if options.json:
        options.json.with_suffix(".md").write_text(table(found["cases"]), encoding="utf-8")
    return 0


def _alone(core: int | None) -> None:
    """One core, one thread a library, and none of the presets that make a library slower."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if core is None else core})
    wanted = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    wanted |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.torch_compile", *sys.argv[1:]], wanted)


def _names() -> list[str]:
    from benchmarks.torch_models import CASES

    return list(CASES)


def timed(name: str, seconds: float, rounds: int) -> dict[str, Any]:
    """The times of a model's contenders, in seconds a call, and of our tasks."""
    import torch

    from benchmarks.torch_models import CASES
    from harl_mlir.integrations.torch import backend
    from harl_mlir.integrations.torch.cache import Cache

    torch.set_num_threads(1)
    model, x = CASES[name]()
    with tempfile.TemporaryDirectory() as directory, torch.no_grad():
        os.environ["XDG_CACHE_HOME"] = directory
        # torch's own types know of no options that are numbers with a fraction.
        given: Any = {"seconds": seconds}
        calls: dict[str, Callable[..., Any]] = {
            "eager": model,
            "inductor": torch.compile(model),
            "harl_mlir": torch.compile(model, backend=backend, options=given),
        }
        wanted, took = model(x), dict[str, float]()
        for contender, call in calls.items():
            started = time.monotonic()
            torch.testing.assert_close(call(x), wanted, rtol=1e-4, atol=1e-4)
            took[contender] = time.monotonic() - started
        times = _in_turns({contender: _caller(call, x) for contender, call in calls.items()}, rounds)
        tasks = [task for built in Cache().all() for task in built.tasks]
    return {
        "median_seconds": {contender: median(t) for contender, t in times.items()},
        "least_seconds": {contender: min(t) for contender, t in times.items()},
        "times_ours": {
            contender: median(a / b for a, b in zip(times[contender], times["harl_mlir"], strict=True))
            for contender in ("eager", "inductor")
        },
        "compile_seconds": took,
        "tasks": [
            {"task": t.label, "key": t.key, "count": t.weight, "sketch": t.sketch, "seconds": t.seconds}
            for t in tasks
        ],
    }


def _caller(call: Callable[..., object], x: object) -> Callable[[], object]:
    return lambda: call(x)


def _in_turns(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds a call in each round; each round begins with another contender."""
    names = list(calls)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            call = calls[name]
            call()
            started = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter() - started) / CALLS)
    return times


def table(cases: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown: the times of each model, and below them those of our tasks."""
    lines = [
        "| model | eager | inductor | harl_mlir | eager / ours | inductor / ours |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in cases.items():
        times = " | ".join(f"{1e6 * found['median_seconds'][c]:.0f} us" for c in _CONTENDERS)
        ratios = " | ".join(f"{found['times_ours'][c]:.2f}" for c in ("eager", "inductor"))
        lines.append(f"| {name} | {times} | {ratios} |")
    for name, found in cases.items():
        lines += [
            "",
            f"| {name}: task | times | sketch | of one, us | of all, us |",
            "| --- | --- | --- | --- | --- |",
        ]
        total = 0.0
        for task in sorted(found["tasks"], key=lambda t: -(t["seconds"] or 0.0) * t["count"]):
            one = 1e6 * (task["seconds"] or 0.0)
            total += one * task["count"]
            sketch = task["sketch"] or "none"
            lines.append(
                f"| {task['task']} | {task['count']} | {sketch} | {one:.1f} | {one * task['count']:.1f} |"
            )
        ours = 1e6 * found["median_seconds"]["harl_mlir"]
        lines += [f"| tasks together | | | | {total:.0f} |", f"| the model | | | | {ours:.0f} |"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
