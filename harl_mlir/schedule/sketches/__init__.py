"""How each sketch's candidates become transform ops; the other half of `harl_mlir.space.sketches`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pkgutil import resolve_name

from harl_mlir.plugins import described
from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches import (
    chain,
    contraction,
    dots,
    elementwise,
    loop_nest,
    reduction,
    rows,
    window,
)
from harl_mlir.schedule.sketches.producers import emit_before
from harl_mlir.schedule.sketches.threads import share
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.plugged import plugged_sketch
from harl_mlir.space.sketches import NAMES
from harl_mlir.space.sketches.contraction import NAMES as CONTRACTIONS
from harl_mlir.space.sketches.cuts import cuts_of, without_sharing
from harl_mlir.tasks.task import Task

Emit = Callable[[ScheduleBuilder, Task, Candidate, Handle], None]


def _emit_chain(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    chain.emit(builder, task, candidate, root, emit_schedule)


_EMITTERS: Mapping[str, Emit] = {
    "chain": _emit_chain,
    **dict.fromkeys(CONTRACTIONS, contraction.emit),
    "elementwise": elementwise.emit,
    "loop_nest": loop_nest.emit,
    "dots": dots.emit,
    "reduction": reduction.emit,
    "rows": rows.emit,
    "window": window.emit,
}


def emit_schedule(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the candidate's schedule for the task whose root op is `root`.

    The schedule consumes `root` and touches only the task's members and the loops it makes.

    Raises:
        ValueError: if no sketch of the candidate's name exists.
        PluginError: the sketch is a plug-in's, which failed.
    """
    emit = _EMITTERS.get(candidate.sketch)
    if emit is not None:
        if cuts := cuts_of(candidate):
            task, root, _ = share(builder, task, root, cuts)
        candidate = without_sharing(candidate)
        emit(builder, emit_before(builder, task, candidate, root, emit_schedule), candidate, root)
        return
    found = plugged_sketch(candidate.sketch, NAMES)
    if found is None:
        raise ValueError(f"there is no sketch named {candidate.sketch}; install the plug-in it is from")
    plugin, sketch = found
    try:
        resolve_name(sketch.emit)(builder, task, candidate, root)
    except Exception as error:
        raise plugin.error(f"made no schedule ({described(error)})") from error
