"""The loop nest of a candidate as people read it, from the nests that the search's features come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harl_mlir.space.candidate import Candidate
from harl_mlir.space.loop_nests import Access, Nests
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.space import SKETCH as LOOP_NEST
from harl_mlir.space.sketches.cuts import cuts_of
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import is_multiply_add
from harl_mlir.tasks.linalg_op import AffineRow, LinalgOp, Operand, loops_of
from harl_mlir.tasks.loop_names import dimension_names
from harl_mlir.tasks.part import part_of
from harl_mlir.tasks.task import Task

_LETTERS = "ABDEFGHIJKLMNOPQRSTUVWXYZ"
"""Of the inputs; C is what is computed."""
_SHARED = "part by part, on threads if there are several"


@dataclass(frozen=True)
class Line:
    """A line of a nest: how many loops are around it, what it says, and a note or nothing."""

    depth: int
    text: str
    note: str = ""

    def __str__(self) -> str:
        return "  " * self.depth + self.text + (f"   # {self.note}" if self.note else "")


def nest_lines(task: Task, space: Space, candidate: Candidate) -> tuple[Line, ...]:
    """The loops of a legal candidate, outermost first, and what they compute; empty where it is not known.

    A dash marks a loop over a tile of the loop of that name around it: `m'` goes through a step of `m`.
    """
    names = dimension_names(task.anchor_op)
    if candidate.sketch == LOOP_NEST:
        lines = _of_loop_nest(task, candidate, names)
    elif space.nests is not None:
        made = space.nests({name: np.array([value]) for name, value in candidate.values})
        lines = _OfNests(task, made, names).lines()
        shared = len(cuts_of(candidate))
        loops = [n for n, line in enumerate(lines) if line.text.startswith("for ")][:shared]
        lines = [
            replace(line, note=_joined(_SHARED, line.note)) if n in loops else line
            for n, line in enumerate(lines)
        ]
    else:
        return ()
    return (*lines, Line(_inside(lines), statement_text(task.anchor_op, names), _fused(task)))


def statement_text(op: LinalgOp, names: Sequence[str]) -> str:
    """What the innermost body computes: `C[m, n] += A[m, k] * B[k, n]`."""
    inputs = [f"{letter(i)}{_index(o, names)}" for i, o in enumerate(op.inputs) if not o.is_scalar]
    result = "C" + _index(op.init, names)
    if is_multiply_add(op):
        return f"{result} += {' * '.join(inputs)}"
    return f"{result} = f({', '.join([result, *inputs] if op.reads_init else inputs)})"


def letter(number: int) -> str:
    """The name of an input of an op."""
    return _LETTERS[number] if number < len(_LETTERS) else f"A{number}"


def _index(operand: Operand, names: Sequence[str]) -> str:
    return "[" + ", ".join(_row_text(row, names) for row in operand.map) + "]" if operand.map else ""


def _row_text(row: AffineRow, names: Sequence[str]) -> str:
    parts = [names[d] if row[d] == 1 else f"{row[d]}*{names[d]}" for d in loops_of(row)]
    if row[-1] or not parts:
        parts.append(str(row[-1]))
    return " + ".join(parts).replace("+ -", "- ")


def _fused(task: Task) -> str:
    before = [member.op.name for member in task.members[: task.anchor]]
    after = [member.op.name for member in task.members[task.anchor + 1 :]]
    parts = [f"{', '.join(ops)} {where}" for ops, where in ((before, "before"), (after, "after")) if ops]
    return f"with {' and '.join(parts)} it" if parts else ""


def _inside(lines: Sequence[Line]) -> int:
    return lines[-1].depth + 1 if lines else 0


class _Names:
    """Names for loops as they come, from the outside: `m`, then `m'` for a loop over a tile of it."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._seen: dict[int, int] = {}

    def next(self, dim: int) -> str:
        count = self._seen.get(dim, 0)
        self._seen[dim] = count + 1
        return self._names[dim] + "'" * count


def _loop(name: str, extent: int, step: int) -> str:
    return f"for {name} in 0..{extent}" + (f" step {step}" if step > 1 else "")


def _rest(extent: int, step: int) -> str:
    return f"the last step has {extent % step}" if extent % step else ""


def _joined(*notes: str) -> str:
    return ", ".join(note for note in notes if note)


def _of_loop_nest(task: Task, candidate: Candidate, names: Sequence[str]) -> list[Line]:
    lanes, called, lines = candidate.number("lanes"), _Names(names), list[Line]()
    cuts, op = cuts_of(candidate), task.anchor_op
    part = part_of(task, cuts) if cuts else task
    assert part is not None
    for dimension in sorted(cuts):
        cut = op.result_loops[dimension]
        text = _loop(called.next(cut), op.dims[cut], part.anchor_op.dims[cut])
        lines.append(Line(len(lines), text, _SHARED))
    nest = parse(part.anchor_op.dims, candidate.word("nest"))
    for loop, extent, trips in zip(nest.loops, nest.extents, nest.trips, strict=True):
        marks = {"": "", "u": "unrolled", "v": _vectors(extent, lanes)}
        text = _loop(called.next(loop.dim), extent, loop.step)
        if trips > 1 or loop.mark:
            lines.append(Line(len(lines), text, _joined(marks[loop.mark], _rest(extent, loop.step))))
    return lines


def _vectors(extent: int, lanes: int) -> str:
    count = -(-extent // lanes)
    return f"{count} vectors of {lanes}" if count > 1 else f"a vector of {extent}"


class _OfNests:
    """The lines of one candidate's `Nests`."""

    def __init__(self, task: Task, made: Nests, names: Sequence[str]) -> None:
        self._op = task.anchor_op
        self._made = made
        self._called = _Names(names)
        self._steps = [int(trips) for trips in made.trips[:, 0]]
        self._tiles = made.tiles[:, :, 0].astype(int)
        self._packs = self._packed()
        self._lines: list[Line] = []

    def lines(self) -> list[Line]:
        statement = self._made.statement
        if statement.turned_bytes:
            kib = statement.turned_bytes / 1024
            self._add(f"copy {self._vector_input()}, its dimensions in another order", f"{kib:.3g} KiB, once")
        depth = 0
        innermost = max((s for s, steps in enumerate(self._steps) if steps > 1), default=-1)
        for s in range(len(self._steps)):
            self._copies(s, depth)
            if self._steps[s] > 1:
                dim = int(self._made.loops[s, 0])
                extent, step = (int(self._tiles[dim, level]) for level in (s, s + 1))
                unroll = int(self._made.unroll[0]) if s == innermost else 1
                note = f"unrolled by {unroll}" if unroll > 1 else ""
                self._lines.append(
                    Line(
                        depth,
                        _loop(self._called.next(dim), extent, step),
                        _joined(note, _rest(extent, step)),
                    )
                )
                depth += 1
        self._copies(len(self._steps), depth)
        self._tile(depth)
        return self._lines

    def _add(self, text: str, note: str = "", depth: int = 0) -> None:
        self._lines.append(Line(depth, text, note))

    def _tile(self, depth: int) -> None:
        """The register tile, all of whose points are computed at once; vectors innermost."""
        vector, lanes = self._made.statement.vector, self._made.statement.lanes
        extents = {d: int(self._tiles[d, -1]) for d in range(len(self._tiles))}
        for d, extent in sorted(extents.items(), key=lambda item: item[0] == vector):
            if extent > 1:
                note = _vectors(extent, lanes) if d == vector else "unrolled"
                self._lines.append(Line(depth, _loop(self._called.next(d), extent, 1), note))
                depth += 1

    def _packed(self) -> dict[int, list[tuple[str, str]]]:
        """What is copied to lie together before which loop; a copy leaves loops that do not change it."""
        found: dict[int, list[tuple[str, str]]] = {}
        for number, access in enumerate(self._made.statement.accesses):
            level = int(self._made.packed[number, 0])
            if level < 0:
                continue
            tile = [self._spanned(access, row, level) for row in range(len(access.shape))]
            kib = math.prod(tile) * access.element_bytes / 1024
            text = f"copy {'x'.join(map(str, tile))} of {self._input(access)} to lie together"
            while self._made.hoisted[number, 0] and level > 0:
                if self._steps[level - 1] > 1 and access.moves(int(self._made.loops[level - 1, 0])):
                    break
                level -= 1
            found.setdefault(level, []).append((text, f"{kib:.3g} KiB"))
        return found

    def _copies(self, level: int, depth: int) -> None:
        for text, note in self._packs.get(level, []):
            self._add(text, note, depth)

    def _spanned(self, access: Access, row: int, level: int) -> int:
        """How many elements of one dimension of an operand a level touches."""
        coefficients = access.map[row]
        span = 1 + sum(
            abs(coefficients[d]) * (int(self._tiles[d, level]) - 1) for d in loops_of(coefficients)
        )
        return min(span, access.shape[row])

    def _vector_input(self) -> str:
        vector = self._made.statement.vector
        moved = [
            i for i, o in enumerate(self._op.inputs) if vector is not None and o.map and _moves(o, vector)
        ]
        return letter(moved[0]) if moved else "an input"

    def _input(self, access: Access) -> str:
        if access.part == "vector":
            return self._vector_input()
        others = [i for i in range(len(self._op.inputs)) if letter(i) != self._vector_input()]
        return letter(others[0]) if others else "an input"


def _moves(operand: Operand, loop: int) -> bool:
    return any(row[loop] for row in operand.map)
