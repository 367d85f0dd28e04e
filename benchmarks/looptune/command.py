"""`python -m benchmarks looptune`: its options, and the run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.live_summary import METASCHEDULE
from benchmarks.looptune.learned import trained
from benchmarks.looptune.report import write_looptune_report
from benchmarks.looptune.run import LoopTunePlan, run_looptune
from benchmarks.looptune.stages import HELD_OUT, OUTSIDE, SEARCHES, Stage, stages
from benchmarks.looptune.summary import summarise_looptune
from benchmarks.machine import this_machine
from benchmarks.options import (
    RESULTS,
    one_thread_without_presets,
    peer_environments,
    timing_core,
    told_by,
)
from benchmarks.results import Results
from harl_mlir.errors import UsageError
from harl_mlir.looptune.weights import SHIPPED
from harl_mlir.search.registry import SHIPPED_WEIGHTS

REPORT = "report"


def add_looptune(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """The options of the command, but for those that it shares with others."""
    made = commands.add_parser("looptune", help="compare the loop-walking agent, or go on with that")
    every = list(dict.fromkeys(name for stage in stages() for name in stage.contenders))
    made.add_argument(
        "--only", nargs="+", default=[], choices=(HELD_OUT, SEARCHES, OUTSIDE, REPORT), metavar="STAGE",
        help=f"of {HELD_OUT}, {SEARCHES}, {OUTSIDE}; or {REPORT}, to write table and plot again",
    )  # fmt: skip
    made.add_argument(
        "--problems", nargs="+", default=[], metavar="NAME", help="only these; * matches anything"
    )
    made.add_argument(
        "--contender", nargs="+", default=every, choices=every, metavar="NAME",
        help=f"only these of {', '.join(every)}",
    )  # fmt: skip
    made.add_argument(
        "--seconds", type=float, default=60.0, help="of each measured search over nests (default 60)"
    )
    made.add_argument("--trials", type=int, default=64, help="of each run of HARL (default 64)")
    made.add_argument("--passes", type=int, default=3, help="over each problem (default 3)")
    made.add_argument("--seed", type=int, default=0, help="of the searches (default 0)")
    made.add_argument(
        "--weights", type=Path, default=SHIPPED, metavar="DIR", help="of the agent (default: those shipped)"
    )
    return made


def looptune(options: argparse.Namespace) -> int:
    """Run what is not there yet, and write the report. The JSON of an interrupted run has its figures too."""
    one_thread_without_presets()
    core = timing_core(options)
    settings = {
        **{name: getattr(options, name) for name in ("seconds", "trials", "passes", "seed")},
        "weights": told_by(options.weights),
        "harl_weights": told_by(SHIPPED_WEIGHTS),
    }
    results = Results(options.json, settings, this_machine(core))
    every = stages()
    chosen = chosen_stages(every, options.only, options.problems)
    needed = {n for stage in chosen for n in stage.contenders if n in options.contender}
    environments, missing = peer_environments(
        [name for name in ("numpy", METASCHEDULE) if name in needed], options.environments
    )
    plan = LoopTunePlan(
        stages=chosen,
        contenders=options.contender,
        learned=trained(options.weights),
        seconds=options.seconds,
        trials=options.trials,
        passes=options.passes,
        seed=options.seed,
        core=core,
        environments=environments,
        missing=missing,
        store=RESULTS / METASCHEDULE,
    )
    os.sched_setaffinity(0, {core})
    try:
        run_looptune(plan, results)
    finally:
        results.write(summarise_looptune(results, every))
    print(write_looptune_report(options.json, options.results))
    return 0


def chosen_stages(every: Sequence[Stage], only: Sequence[str], patterns: Sequence[str]) -> list[Stage]:
    """The stages asked for, with the problems asked for.

    Raises:
        UsageError: none of their problems has such a name.
    """
    asked = [stage for stage in every if stage.name in only or not only]
    if patterns:
        for pattern in patterns:
            if not any(fnmatchcase(case.name, pattern) for stage in asked for case in stage.cases):
                raise UsageError(f"there is no problem {pattern!r} in the stages asked for")
        asked = [
            replace(s, cases=tuple(c for c in s.cases if any(fnmatchcase(c.name, p) for p in patterns)))
            for s in asked
        ]
    return asked
