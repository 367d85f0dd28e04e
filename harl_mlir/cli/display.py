"""Shows tuning while it goes on: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from harl_mlir.cli.numbers import gflops, plain, speed_up
from harl_mlir.cli.terminal import say
from harl_mlir.tuner.progress import Event, Phase, Planned, Progressed, TaskProgress

if TYPE_CHECKING:
    from rich.table import Table


class Display(AbstractContextManager["Display"], Protocol):
    """A listener with a beginning and an end."""

    def __call__(self, event: Event) -> None:
        """Show what happened."""
        ...


def make_display(*, live: bool = True) -> Display:
    """A live table if stderr is a terminal, else plain lines on stderr, as for what is not `live`."""
    return LiveTable() if live and sys.stderr.isatty() else PlainLines()


class PlainLines:
    """A line on stderr whenever a task enters a phase or gets a better time."""

    def __init__(self) -> None:
        self._shown: dict[int, tuple[Phase, float | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __call__(self, event: Event) -> None:
        """Print a line if there is news."""
        if isinstance(event, Planned):
            say(f"{len(event.tasks)} task(s), {len(event.skipped)} op(s) left alone")
            return
        progress = event.progress
        phase, best = self._shown.get(event.index, ("waiting", None))
        news = progress.best_seconds
        # A hundred improvements by a thousandth each are one piece of news.
        better = news is not None and (best is None or news < 0.98 * best)
        if better or progress.phase != phase:
            self._shown[event.index] = (progress.phase, news if better else best)
            say(f"[{event.index}] {describe(progress)}")


class LiveTable:
    """A table of all tasks on stderr, redrawn in place.

    `untuned` and `default` are the speed-ups over them; `trials` counts those of this run, then those
    the database held.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._progress: dict[int, TaskProgress] = {}
        self._changed = 0
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=8)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Redraw the task's row."""
        if isinstance(event, Progressed):
            self._progress[event.index] = event.progress
            self._changed = event.index
            self._live.update(progress_table(self._in_view()))

    def _in_view(self) -> list[TaskProgress]:
        """As many tasks as the terminal has lines for, the one that changed last among them."""
        room = max(1, self._console.height - 2)
        numbers = sorted(self._progress)
        first = max(0, min(numbers.index(self._changed) - room // 2, len(numbers) - room))
        return [self._progress[number] for number in numbers[first : first + room]]


def progress_table(rows: Sequence[TaskProgress]) -> Table:
    """The live table. Where it is too wide for the terminal, the tasks' names are cut, never a number."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("task")
    for heading in ("GFLOP/s", "untuned", "default", "trials", "failed", "phase"):
        table.add_column(heading, justify="left" if heading == "phase" else "right", no_wrap=True)
    for progress in rows:
        label, *cells = _cells(progress)
        table.add_row(Text(label, no_wrap=True, overflow="ellipsis"), *cells)
    return table


def describe(progress: TaskProgress) -> str:
    """A task's progress in a line."""
    label, rate, untuned, default, trials, failed, phase = _cells(progress)
    return (
        f"{label}: {rate} GFLOP/s, {untuned} over untuned, {default} over default, "
        f"{trials} trials, {failed} failed, {phase}"
    )


def _cells(progress: TaskProgress) -> tuple[str, ...]:
    task, best = progress.task, progress.best_seconds
    return (
        task.label() + (f" x{task.weight}" if task.weight > 1 else ""),
        plain(gflops(task.flops, best)),
        speed_up(progress.baseline_seconds, progress.baseline_slower_than, best),
        speed_up(progress.default_seconds, None, best),
        f"{progress.trials}" + (f" +{progress.stored}" if progress.stored else ""),
        str(progress.failures),
        progress.phase,
    )
