"""Applies the best schedules known of earlier runs, and tunes where none are.

    python examples/best_known.py KERNEL.mlir DATABASE [SECONDS]

The second time nothing is measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

import harl_mlir


def library_for(kernel: Path, database: harl_mlir.Database, seconds: float) -> harl_mlir.ScheduleLibrary:
    """The best known schedules; tuned for so long if there are none."""
    known = database.best(kernel)
    if known:
        print(f"known: {', '.join(entry.label for entry in known)}")
        return known
    return harl_mlir.tune(kernel, seconds=seconds, database=database).library


def main(kernel: Path, database: Path, seconds: float) -> None:
    """Print the scheduled kernel's outcomes and what was measured of it."""
    with harl_mlir.Database(database) as opened:
        library = library_for(kernel, opened, seconds)
        for outcome in library.apply(kernel).outcomes:
            print(f"{outcome.place}: {outcome.op}: {outcome.message}")
        records = opened.records(kernel)
        failed = sum(not record.measurement.ok for record in records)
        print(f"{len(records)} measurements, {failed} of them failures")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 20)
