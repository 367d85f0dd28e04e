"""What loop nests move between the levels of the memory, by their footprints alone.

A level of the nest whose footprint fits a cache is brought in once each time it is entered. An operand that
the loops directly around it do not change stays for them too, and the loop that then changes it brings in
only what is new (overlapping windows). What the whole op leaves in a cache is there at the next call.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harl_mlir.space.loop_nests import PARTS, Access, Floats, Ints, Nests, Part

_ALIKE = 1 + 1e-9


class Traffic:
    """The footprints of some nests and what they move.

    Attributes:
        nests: whose.
        accesses: of the statement.
        bytes: for each access, (S + 1, N): bytes of lines that each level touches.
    """

    def __init__(self, nests: Nests) -> None:
        self.nests = nests
        self.accesses = nests.statement.accesses
        self._each: Ints = np.arange(nests.count)
        self._elements = [nests.footprint(access) for access in self.accesses]
        self.bytes = [self._lines(number, access) for number, access in enumerate(self.accesses)]

    @cached_property
    def total(self) -> Floats:
        """(S + 1, N): bytes that each level touches."""
        return self.of_parts["vector"] + self.of_parts["broadcast"] + self.of_parts["result"]

    @cached_property
    def of_parts(self) -> dict[Part, Floats]:
        """(S + 1, N) for each part: bytes that each level touches."""
        found = {part: np.zeros((self.nests.loops.shape[0] + 1, self.nests.count)) for part in PARTS}
        for access, touched in zip(self.accesses, self.bytes, strict=True):
            found[access.part] = found[access.part] + touched
        return found

    def fitting(self, size: int) -> Ints:
        """(N,): the outermost level that fits into `size` bytes, the innermost if none does."""
        fits = self.total <= size
        fits[-1] = True
        level: Ints = np.argmax(fits, axis=0)
        return level

    def into(self, size: int) -> dict[Part, Floats]:
        """(N,) for each part: bytes that one call brings into a cache; results come and go."""
        level = self.fitting(size)
        moved = {part: np.zeros(self.nests.count) for part in PARTS}
        for access, elements, touched in zip(self.accesses, self._elements, self.bytes, strict=True):
            held = self._held(elements, level)
            times = 2.0 if access.part == "result" else 1.0
            brought = times * (touched * self.nests.executions)[held, self._each]
            moved[access.part] = moved[access.part] + np.where(level > 0, brought, 0.0)
        return moved

    @cached_property
    def loads(self) -> dict[Part, Floats]:
        """(N,) for each part: instructions that move it between registers and L1."""
        moved = {part: np.zeros(self.nests.count) for part in PARTS}
        innermost = np.full(self.nests.count, self.nests.loops.shape[0])
        for access, elements in zip(self.accesses, self._elements, strict=True):
            count = (elements * self.nests.executions)[self._held(elements, innermost), self._each]
            count = count * self._instructions(access)
            moved[access.part] = moved[access.part] + (2.0 if access.part == "result" else 1.0) * count
        return moved

    def _instructions(self, access: Access) -> Floats:
        """(N,): loads for each element of a tile, with what turns it round where its lanes lie across."""
        statement = self.nests.statement
        contiguous = [d for d in range(len(statement.dims)) if abs(access.stride(d)) == 1]
        if statement.vector is None or not access.moves(statement.vector) or not contiguous:
            return np.ones(self.nests.count)
        if statement.vector in contiguous:
            return 1 / self.lanes_used
        together = np.minimum(self.nests.tiles[contiguous, -1].max(axis=0), statement.lanes)
        turned: Floats = np.where(
            together > 1, 1 / together + np.log2(statement.lanes) / statement.lanes, 1.0
        )
        return turned

    @cached_property
    def held_tile(self) -> Ints:
        """(N,): the outermost level that touches no more of the result than the register tile."""
        results = [a.part == "result" for a in self.accesses]
        elements = self._elements[results.index(True)]
        held: Ints = np.argmax(elements <= elements[-1] * _ALIKE, axis=0)
        return held

    @cached_property
    def lanes_used(self) -> Floats:
        """(N,): how many lanes of a register hold elements, on average over the loop along them."""
        statement = self.nests.statement
        if statement.vector is None:
            return np.ones(self.nests.count)
        extent = float(statement.dims[statement.vector])
        step = self.nests.tiles[statement.vector, -1]
        whole = np.floor(extent / step)
        rest = extent - whole * step
        registers = whole * np.ceil(step / statement.lanes) + np.ceil(rest / statement.lanes)
        used: Floats = extent / registers
        return used

    @cached_property
    def copied(self) -> tuple[list[Floats], list[Floats]]:
        """For each access (N,): bytes read to be copied in a call, and bytes of one copy; 0 for none."""
        times: list[Floats] = []
        sizes: list[Floats] = []
        for number, elements in enumerate(self._elements):
            at, hoisted = self.nests.packed[number], self.nests.hoisted[number]
            level = np.maximum(at, 0)
            out = np.argmax(elements <= elements[level, self._each] * _ALIKE, axis=0)
            level = np.where(hoisted, out, level)
            size = elements[level, self._each] * self.accesses[number].element_bytes
            sizes.append(np.where(at >= 0, size, 0.0))
            times.append(sizes[-1] * self.nests.executions[level, self._each])
        return times, sizes

    def _held(self, elements: Floats, level: Ints) -> Ints:
        """(N,): the level whose executions bring an operand in, if `level` is what a cache holds."""
        held = np.argmax(elements <= elements[level, self._each] * _ALIKE, axis=0)
        outside: Ints = np.maximum(held - 1, 0)
        return outside

    def _lines(self, number: int, access: Access) -> Floats:
        """Bytes of lines, from where the access is copied those of its elements."""
        lines = self.nests.line_bytes(access)
        packed: Ints = self.nests.packed[number]
        if (packed < 0).all():
            return lines
        inside: NDArray[np.bool_] = (packed >= 0) & (np.arange(len(lines))[:, None] >= packed)
        return np.where(inside, self._elements[number] * access.element_bytes, lines)
