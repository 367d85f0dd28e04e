"""Sketches of other distributions; see `harl_mlir.plugins`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

from harl_mlir.accuracy import Accuracy
from harl_mlir.plugins import Plugin, PluginError, described, plugins, warn
from harl_mlir.processor import Processor
from harl_mlir.space.sketch import Sketch
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task


@cache
def _sketches(taken: frozenset[str]) -> dict[str, tuple[Plugin, Sketch]]:
    """The sketches that can be loaded, by name."""
    found: dict[str, tuple[Plugin, Sketch]] = {}
    for name, plugin in plugins("sketch", taken).items():
        try:
            sketch = plugin.load()
            if not isinstance(sketch, Sketch):
                raise plugin.error(f"is no harl_mlir.space.sketch.Sketch but {type(sketch).__name__}")
            found[name] = plugin, sketch
        except PluginError as error:
            warn(error)
    return found


def plugged_spaces(
    task: Task, processor: Processor, accuracy: Accuracy, taken: Collection[str]
) -> Iterator[Space]:
    """The space of each sketch that applies; `taken` are the names of the sketches that are no plug-ins."""
    for name, (plugin, sketch) in _sketches(frozenset(taken)).items():
        try:
            space = sketch.space(task, processor, accuracy)
        except Exception as error:
            warn(plugin.error(f"fails on {task.label()} ({described(error)})"))
            continue
        if isinstance(space, Space) and space.sketch == name:
            yield space
        elif space is not None:
            what = f"the space {space.sketch}" if isinstance(space, Space) else type(space).__name__
            warn(plugin.error(f"gives {what} instead of a space of its own name"))


def plugged_sketch(name: str, taken: Collection[str]) -> tuple[Plugin, Sketch] | None:
    """The sketch of this name, and where it is from; None where there is none."""
    return _sketches(frozenset(taken)).get(name)
