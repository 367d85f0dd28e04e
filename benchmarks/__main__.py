"""`python -m benchmarks run | live | looptune | report | install`; `--help` says more."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.criteria import criterion_lines
from benchmarks.environments import FOLDER, install
from benchmarks.live import LivePlan, run_live
from benchmarks.live_report import write_live_report
from benchmarks.live_summary import METASCHEDULE
from benchmarks.looptune.command import add_looptune, looptune
from benchmarks.machine import this_machine
from benchmarks.options import (
    RESULTS,
    matching_cases,
    of_classes,
    one_thread_without_presets,
    peer_environments,
    timing_core,
    told_by,
)
from benchmarks.ours import RANDOM
from benchmarks.peer_process import CONTENDERS
from benchmarks.report import write_report
from benchmarks.results import Results, read_results
from benchmarks.run import ALL_CONTENDERS, Plan, run
from benchmarks.suite import LIVE_FILE, SUITE_FILE, load_suite
from benchmarks.summary import summarise
from benchmarks.timing import tell
from benchmarks.tune_process import agent_options
from harl_mlir.errors import HarlError, UsageError
from harl_mlir.search.registry import SHIPPED_WEIGHTS

LIVE_AGENTS = ("harl", "default", "random")
_INTERRUPTED = 130


@dataclass(frozen=True)
class _Budget:
    """Seconds and trials of each tuning, passes over each case."""

    seconds: float
    trials: int
    passes: int


_FULL = _Budget(60.0, 200, 3)
_QUICK = _Budget(8.0, 64, 3)


def main() -> int:
    """Run a subcommand; the exit code."""
    options = _parser().parse_args()
    try:
        return _COMMANDS[options.command](options)
    except UsageError as error:
        tell(f"benchmarks: {error}")
        return 2
    except HarlError as error:
        tell(f"benchmarks: {error}")
        return 1
    except KeyboardInterrupt:
        tell("benchmarks: interrupted; the same command goes on from here")
        return _INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    one_thread_without_presets()
    suite = load_suite()
    default = _QUICK if options.quick else _FULL
    seconds, trials = options.seconds or default.seconds, options.trials or default.trials
    passes = options.passes or default.passes
    core = timing_core(options)
    settings = {"seconds": seconds, "trials": trials, "passes": passes, "seed": options.seed}
    results = Results(options.json, settings, this_machine(core))
    contenders = _contenders(options.contender, options.quick)
    environments, missing = peer_environments([*contenders, *results.timed()], options.environments)
    plan = Plan(
        cases=of_classes(
            matching_cases(suite, options.case, options.quick, SUITE_FILE), options.classes, suite
        ),
        contenders=contenders,
        seconds=seconds,
        trials=trials,
        passes=passes,
        seed=options.seed,
        core=core,
        build_core=next((other for other in sorted(os.sched_getaffinity(0)) if other != core), None),
        environments=environments,
        missing=missing,
        store=RESULTS / "metaschedule",
    )
    os.sched_setaffinity(0, {core})
    run(plan, results, suite)
    for line in criterion_lines(summarise(results, plan.cases)["criteria"]):
        print(line)
    print(write_report(options.json, options.results))
    return 0


def _live(options: argparse.Namespace) -> int:
    one_thread_without_presets()
    file = SUITE_FILE if options.suite else LIVE_FILE
    suite = load_suite(file)
    agents = tuple(dict.fromkeys(options.agents.split(",")))
    for agent in agents:
        agent_options(agent)
    core = timing_core(options)
    settings = {
        "trials": options.trials,
        "long_trials": options.long_trials,
        "passes": options.passes,
        "weights": told_by(SHIPPED_WEIGHTS),
    }
    results = Results(options.json, settings, this_machine(core))
    environments, missing = peer_environments([METASCHEDULE], options.environments)
    plan = LivePlan(
        # Those that MetaSchedule is compared on.
        cases=tuple(
            case
            for case in matching_cases(suite, options.case, options.suite == "quick", file)
            if CONTENDERS[METASCHEDULE].is_asked_for(case.fields)
        ),
        agents=agents,
        seeds=options.seeds,
        trials=options.trials,
        long_trials=options.long_trials,
        passes=options.passes,
        core=core,
        environments=environments,
        missing=missing,
        store=RESULTS / METASCHEDULE,
    )
    os.sched_setaffinity(0, {core})
    run_live(plan, results, suite)
    print(write_live_report(options.json))
    return 0


def _report(options: argparse.Namespace) -> int:
    results = read_results(options.json)
    results.write(summarise(results, load_suite()))
    print(write_report(options.json, options.results))
    return 0


def _install(options: argparse.Namespace) -> int:
    made = install(folder=options.environments or FOLDER, progress=tell)
    for each in made:
        tell(f"{each.name}: {each.failure or each.folder}")
    return 1 if any(each.failure for each in made) else 0


_COMMANDS = {"run": _run, "live": _live, "looptune": looptune, "report": _report, "install": _install}


def _contenders(names: Sequence[str], quick: bool) -> tuple[str, ...]:
    """Those named; else all, but in a quick run for random search and those that no ratio is taken to."""
    for name in names:
        if name not in ALL_CONTENDERS:
            raise UsageError(f"there is no contender {name!r}; use some of {', '.join(ALL_CONTENDERS)}")
    if names:
        return tuple(name for name in ALL_CONTENDERS if name in names)
    left_out = {RANDOM, *(name for name, kind in CONTENDERS.items() if not kind.is_compared)}
    return tuple(name for name in ALL_CONTENDERS if not quick or name not in left_out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed beside other libraries.")
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("run", help="run the suite, or go on with a run")
    made.add_argument(
        "--quick", action="store_true", help="a few cases of each class, about a minute a class"
    )
    made.add_argument(
        "--classes",
        type=lambda text: tuple(text.split(",")),
        default=(),
        metavar="A,B,...",
        help="only cases of these, as rows,elementwise",
    )
    made.add_argument("--case", nargs="+", default=[], metavar="NAME", help="only these; * matches anything")
    made.add_argument(
        "--contender",
        nargs="+",
        default=[],
        metavar="NAME",
        help=f"only these of {', '.join(ALL_CONTENDERS)}",
    )
    made.add_argument(
        "--seconds",
        type=float,
        help=f"for each tuning (default {_FULL.seconds:g}, quick {_QUICK.seconds:g})",
    )
    made.add_argument(
        "--trials", type=int, help=f"for each tuning (default {_FULL.trials}, quick {_QUICK.trials})"
    )
    made.add_argument("--passes", type=int, help=f"default {_FULL.passes}, quick {_QUICK.passes}")
    made.add_argument("--seed", type=int, default=0, help="of the search (default 0)")
    live = _add_live(commands)
    walks = add_looptune(commands)
    for command in (made, live, walks):
        command.add_argument("--core", type=int, help="everything is pinned to it (default: the last one)")
        command.add_argument(
            "--json", type=Path, required=True, metavar="OUT.json", help="read first if it exists"
        )
    report = commands.add_parser("report", help="write the table and the plot again")
    report.add_argument("json", type=Path, metavar="OUT.json")
    make = commands.add_parser("install", help="make the peers' environments")
    there = "made before, taken as they are"
    for command, what in ((made, there), (live, there), (walks, there), (make, "where to make them")):
        command.add_argument(
            "--environments", type=Path, metavar="DIR", help=f"{what} (default: benchmarks/.peers)"
        )
    for command in (made, walks, report):
        command.add_argument(
            "--results", type=Path, default=RESULTS, metavar="DIR", help="for table and plot"
        )
    return parser


def _add_live(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    live = commands.add_parser("live", help="compare how soon tuning gets anywhere, or go on with that")
    live.add_argument("--case", nargs="+", default=[], metavar="NAME", help="only these; * matches anything")
    live.add_argument(
        "--suite",
        choices=("quick", "full"),
        help="cases of the benchmark's suite, those of --quick or all, instead of benchmarks/live.json",
    )
    live.add_argument(
        "--agents",
        default=",".join(LIVE_AGENTS),
        metavar="A,B,...",
        help="search policies, also harl:cold; the first makes the long run (default %(default)s)",
    )
    for name, default, what in (
        ("seeds", 5, "runs of each agent"),
        ("trials", 64, "of a run"),
        ("long-trials", 1000, "of the long run"),
        ("passes", _FULL.passes, "over the final kernels"),
    ):
        live.add_argument(f"--{name}", type=int, default=default, help=f"{what} (default {default})")
    return live


if __name__ == "__main__":
    sys.exit(main())
