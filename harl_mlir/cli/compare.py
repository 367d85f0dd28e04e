"""`harl-mlir compare`: search policies side by side, on this machine or on recorded spaces."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from harl_mlir.cli.terminal import INTERRUPTED, Outcome, Terminal
from harl_mlir.errors import InputError, UsageError
from harl_mlir.files import Output, read_mlir
from harl_mlir.lab import library
from harl_mlir.lab.comparison import Comparison
from harl_mlir.lab.contenders import check_contender, preload
from harl_mlir.lab.page import page
from harl_mlir.lab.recorded import load
from harl_mlir.lab.runs import Workload
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.search.pretrained import load_weights
from harl_mlir.tuner.job import Job
from harl_mlir.tuner.plan import plan_sketches


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Run what is missing of the comparison; an interrupt keeps what was run."""
    _check(options)
    pretrained = load_weights(options.weights)
    output = Output(options.json, "--json")
    html = Output(options.json.with_suffix(".html"), "--json")
    with Pool() if options.kernels else nullcontext() as pool:
        workloads = [_replayed(path) for path in _spaces(options)]
        workloads += [_live(path, pool) for path in options.kernels if pool]
        _check_names(workloads)
        comparison = Comparison(workloads, options.agents, options.seeds, options.trials, output, pretrained)
        if held := comparison.resume():
            terminal.progress(f"going on with {options.json}: {held} runs are there")
        preload(options.agents)
        interrupted = False
        try:
            comparison.run(pool, terminal.progress)
        except KeyboardInterrupt:
            interrupted = True
        except BaseException:
            comparison.save()
            raise
    content = comparison.save()
    for line in _table(content):
        terminal.result(line)
    if content["workloads"]:
        html.write(page(content, comparison.runs))
    terminal.result(f"wrote {output.path}" + (f" and {html.path}" if content["workloads"] else ""))
    if interrupted:
        terminal.result("interrupted: the same command goes on with it")
        return Outcome("interrupted", exit_code=INTERRUPTED)
    return Outcome()


def _check(options: Namespace) -> None:
    if not options.kernels and options.replay is None:
        raise UsageError("there is nothing to compare on; name kernels, or recorded spaces with --replay")
    for agent in options.agents:
        check_contender(agent)
    if options.seeds < 1:
        raise UsageError(f"{options.seeds} seeds are no comparison; use --seeds 1 or more")
    if options.trials < 1:
        raise UsageError(f"the budget of {options.trials} trials measures nothing; use --trials 1 or more")
    if options.json.suffix != ".json":
        raise UsageError(f"the result goes to a .json file, not {options.json}; name one with --json")


def _spaces(options: Namespace) -> Sequence[Path]:
    if options.replay is None:
        return ()
    paths = [library.find(named) for named in options.replay] or library.shipped()
    if not paths:
        raise InputError("no recorded space comes with this package; name a file after --replay")
    return paths


def _replayed(path: Path) -> Workload:
    recording = load(path)
    tasks = tuple((task.task, task.spaces) for task in recording.tasks)
    return Workload(recording.name, recording.digest, tasks, recording)


def _live(path: Path, pool: Pool) -> Workload:
    kernel = read_mlir(path)
    states = plan_sketches(Job(kernel, str(path)), pool, this_processor()).states
    digest = hashlib.sha256(kernel.encode()).hexdigest()[:16]
    return Workload(path.stem, digest, tuple((state.task, state.spaces) for state in states))


def _check_names(workloads: Sequence[Workload]) -> None:
    for name, count in Counter(workload.name for workload in workloads).items():
        if count > 1:
            raise UsageError(f"{count} of the workloads are named {name}; rename a file or leave one out")


def _table(content: Mapping[str, Any]) -> list[str]:
    """Median trials to arrival: a line a workload, a column an agent; then ratios over all workloads."""
    agents = list(content["agents"])
    widths = [max(8, len(agent)) for agent in agents]
    first = max([8, *map(len, content["workloads"])])
    share = f"{100 * content['share']:g} %"
    lines = [f"median trials to {share} of the best (- where half of the runs did not get there)"]
    lines.append("  ".join([" " * first, *(a.rjust(w) for a, w in zip(agents, widths, strict=True))]))
    for name in content["workloads"]:
        cells = [content["agents"][agent]["median_trials_to_95"][name] for agent in agents]
        texts = ["-" if cell is None else f"{cell:g}" for cell in cells]
        lines.append(
            "  ".join([name.ljust(first), *(t.rjust(w) for t, w in zip(texts, widths, strict=True))])
        )
    for agent, numbers in content["against"]["others"].items():
        ratio = numbers["trials_ratio_all"]
        lines.append(
            f"{agent} needs {ratio['estimate']:.2f} times the trials of {content['against']['measure']} "
            f"(95 % interval {ratio['low']:.2f} to {ratio['high']:.2f}"
            + (")" if ratio["arrived"] else "; where runs did not get there, one trial more is counted)")
        )
    return lines
