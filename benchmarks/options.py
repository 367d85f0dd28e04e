"""What the commands have in common: the core, the processes' environment, the peers, the cases asked for."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.environments import Installed, environment, install
from benchmarks.peer_process import CONTENDERS
from benchmarks.suite import Case
from benchmarks.timing import tell
from harl_mlir.errors import UsageError

RESULTS = Path(__file__).parent / "results"


def one_thread_without_presets() -> None:
    """Start again with one thread a library and no other `OPENBLAS_*` setting.

    Such presets pick other kernels than a library would for this core, and its threads start with it.
    """
    wanted = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    wanted |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]], wanted)


def told_by(weights: Path) -> str | None:
    """What tells the weights in a directory from others, None where there are none."""
    about = weights / "about.json"
    return hashlib.sha256(about.read_bytes()).hexdigest()[:12] if about.exists() else None


def timing_core(options: argparse.Namespace) -> int:
    """The core named, or the last one this process may use."""
    return max(os.sched_getaffinity(0)) if options.core is None else int(options.core)


def peer_environments(
    contenders: Sequence[str], folder: Path | None
) -> tuple[dict[str, Path], dict[str, str]]:
    """The peers' environments by name, and why others are missing. Those in our own folder are made."""
    names = list(dict.fromkeys(CONTENDERS[n].environment for n in contenders if n in CONTENDERS))
    if folder is None:
        made = install(names, progress=tell)
    else:
        given = {name: environment(name, folder) for name in names}
        made = [
            Installed(name, path, None if (path / "bin/python").exists() else f"{path} holds no Python.")
            for name, path in given.items()
        ]
    for each in made:
        if each.failure is not None:
            tell(f"{each.name} is not installed: {each.failure}")
    return (
        {each.name: each.folder for each in made if each.failure is None},
        {each.name: each.failure for each in made if each.failure is not None},
    )


def matching_cases(
    suite: Sequence[Case], patterns: Sequence[str], quick: bool, file: Path
) -> tuple[Case, ...]:
    """Those whose names match a pattern, or all. Raises UsageError for a pattern that none matches."""
    for pattern in patterns:
        if not any(fnmatchcase(case.name, pattern) for case in suite):
            raise UsageError(f"there is no case {pattern!r}; see benchmarks/{file.name}")
    return tuple(
        case
        for case in suite
        if (case.quick or not quick) and (not patterns or any(fnmatchcase(case.name, p) for p in patterns))
    )


def of_classes(cases: Sequence[Case], names: Sequence[str], suite: Sequence[Case]) -> tuple[Case, ...]:
    """Those of these classes, or all. Raises UsageError for a class that the suite has not."""
    classes = dict.fromkeys(case.category for case in suite)
    for name in names:
        if name not in classes:
            raise UsageError(f"there is no class {name!r}; use --classes with some of {', '.join(classes)}")
    return tuple(case for case in cases if not names or case.category in names)
