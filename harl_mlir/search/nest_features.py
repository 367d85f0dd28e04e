"""Computes the columns that `nest_columns` documents."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.nest_columns import COLUMNS, INNER_LOOPS
from harl_mlir.search.nest_traffic import Traffic
from harl_mlir.space.loop_nests import PARTS, Floats, Ints, Nests, Part
from harl_mlir.tasks.task import Task

_PAGE_BYTES = 4096
_CHAINS = 8
"""Independent sums that hide the latency of an addition."""
_PORTS = 2
_COPIED_A_CYCLE = 8
_TURNED_A_CYCLE = 4
_BROUGHT_A_CYCLE = {"l1": 32, "l2": 16, "l3": 4}
"""Bytes that come into a cache from the next one, and those that are copied, about."""
_MOST_REUSE = 20.0
_IN_FLIGHT = 400
_A_STEP = 3
"""Instructions that a core looks ahead, and those of a step of a sum."""

_Found = dict[str, Floats | float]


def nest_rows(task: Task, nests: Nests) -> NDArray[np.float32]:
    """The columns of every candidate, a row each."""
    seen = _Seen(task, nests, Traffic(nests))
    found = {
        **_tile(seen),
        **_strides(seen),
        **_loops(seen),
        **_footprints(seen),
        **_traffic(seen),
        **_of_task(seen),
    }
    rows = np.empty((nests.count, len(COLUMNS)), dtype=np.float32)
    for place, name in enumerate(COLUMNS):
        rows[:, place] = found[name]
    return rows


@dataclass(frozen=True)
class _Seen:
    """What several groups of columns need."""

    task: Task
    nests: Nests
    traffic: Traffic

    @property
    def operations(self) -> float:
        """Of one call, a vector element each."""
        statement = self.nests.statement
        return float(math.prod(statement.dims) * statement.operations)

    @property
    def tile(self) -> Floats:
        """(D, N): extents of the register tile."""
        return self.nests.tiles[:, -1]

    @cached_property
    def vectors(self) -> Floats:
        """(N,): registers of the tile along the vectors."""
        statement = self.nests.statement
        if statement.vector is None:
            return np.ones(self.nests.count)
        registers: Floats = np.ceil(self.tile[statement.vector] / statement.lanes)
        return registers

    @cached_property
    def rows(self) -> Floats:
        """(N,): vectors of the tile."""
        others = [d for d in range(len(self.tile)) if d != self.nests.statement.vector]
        rows: Floats = np.prod(self.tile[others], axis=0)
        return rows

    @cached_property
    def hidden(self) -> Floats:
        """(N,): share of the arithmetic's speed that waiting for sums leaves; short sums overlap."""
        statement = self.nests.statement
        if not statement.reductions:
            return np.ones(self.nests.count)
        registers = self.vectors * self.rows
        steps = math.prod(statement.dims[d] for d in statement.reductions)
        if statement.vector in statement.reductions:
            steps = steps / self.tile[statement.vector]
        overlapping = np.maximum(1.0, _IN_FLIGHT / (steps * registers * _A_STEP))
        share: Floats = np.minimum(1.0, registers * overlapping / _CHAINS)
        return share

    @cached_property
    def innermost(self) -> tuple[Ints, Ints]:
        """(INNER_LOOPS, N): numbers of the nest's loops of more than one step, innermost first; and the
        loops of the op. -1 where there are no more."""
        trips, slots = self.nests.trips[::-1], self.nests.loops.shape[0]
        order = np.argsort(trips <= 1, axis=0, kind="stable")[:INNER_LOOPS]
        several = np.take_along_axis(trips, order, axis=0) > 1
        loops = np.take_along_axis(self.nests.loops[::-1], order, axis=0)
        numbers = np.full((INNER_LOOPS, self.nests.count), -1, dtype=np.int64)
        ops = numbers.copy()
        numbers[: len(order)] = np.where(several, slots - 1 - order, -1)
        ops[: len(order)] = np.where(several, loops, -1)
        return numbers, ops


def _log(amount: Floats | float) -> Floats:
    logarithm: Floats = np.log2(amount)
    return logarithm


def _tile(seen: _Seen) -> _Found:
    nests, statement = seen.nests, seen.nests.statement
    vectors, rows = seen.vectors, seen.rows
    registers = vectors * rows
    most = statement.processor.vector_registers
    loads = sum(seen.traffic.loads.values()) / seen.operations * statement.lanes
    inner, _ = seen.innermost
    trips = np.where(inner[0] < 0, 1.0, np.take_along_axis(nests.trips, np.maximum(inner[:1], 0), axis=0)[0])
    return {
        "vector": _log(vectors),
        "lanes": seen.traffic.lanes_used / statement.lanes,
        "rows": _log(rows),
        "registers": registers / most,
        "pressure": (registers + vectors) / most,
        "chains": _log(seen.hidden),
        "unroll": _log(nests.unroll.astype(np.float64)),
        "body": _log(nests.unroll * registers * statement.operations),
        "inner_left": trips % np.minimum(nests.unroll, trips) / trips,
        "loads": _log(1 + loads),
        "by_rows": float(statement.by_rows),
    }


def _strides(seen: _Seen) -> _Found:
    nests, statement, packed = seen.nests, seen.nests.statement, seen.nests.packed >= 0
    _, loops = seen.innermost
    inner, tile = loops[0], seen.tile
    across: dict[Part, Floats] = {part: np.zeros(nests.count) for part in PARTS}
    step = dict(across)
    apart, aliased = np.zeros(nests.count), np.zeros(nests.count)
    others = [d for d, extent in enumerate(statement.dims) if d != statement.vector and extent > 1]
    for number, access in enumerate(statement.accesses):
        strides, part, size = statement.strides[number], access.part, access.element_bytes
        together = np.where(packed[number], np.prod(tile, axis=0), np.inf)
        if statement.vector is not None:
            lane = np.where(packed[number], min(strides[statement.vector], 1), strides[statement.vector])
            across[part] = np.maximum(across[part], lane)
        step[part] = np.maximum(step[part], size * np.minimum(strides[inner], together))
        for d in others if part == "broadcast" else ():
            between = np.where(tile[d] > 1, size * np.minimum(strides[d], together), 0.0)
            apart = np.maximum(apart, between)
            pages = (between > 0) & (between % _PAGE_BYTES == 0)
            aliased = np.maximum(aliased, np.where(pages, _log(tile[d]), 0.0))
    return {
        "stride_v": _log(1 + across["vector"]),
        "stride_r": _log(1 + across["result"]),
        "step_v": _log(1 + step["vector"]),
        "step_b": _log(1 + step["broadcast"]),
        "apart_b": _log(1 + apart),
        "page_b": aliased,
    }


def _loops(seen: _Seen) -> _Found:
    nests, statement = seen.nests, seen.nests.statement
    numbers, loops = seen.innermost
    trips = np.ones((INNER_LOOPS, nests.count))
    if len(nests.trips):
        trips = np.where(numbers < 0, 1.0, np.take_along_axis(nests.trips, np.maximum(numbers, 0), axis=0))
    found: _Found = {}
    moves = statement.moves[:, loops]
    for letter, moved in zip("vbr", moves, strict=True):
        for i in range(INNER_LOOPS):
            found[f"moves_{letter}_{i}"] = moved[i]
    for i in range(INNER_LOOPS):
        found[f"trips_{i}"] = _log(trips[i])
    level, each = np.arange(len(nests.loops))[:, None], np.arange(nests.count)
    extents, steps = nests.tiles[nests.loops, level, each], nests.tiles[nests.loops, level + 1, each]
    whole = np.prod(np.floor(extents / steps) * steps / extents, axis=0)
    return {
        **found,
        "loops": (nests.trips > 1).sum(axis=0).astype(np.float64),
        "trips": _log(np.prod(nests.trips, axis=0)),
        "cut": 1 - whole,
    }


def _footprints(seen: _Seen) -> _Found:
    nests, traffic, processor = seen.nests, seen.traffic, seen.nests.statement.processor
    each, total = np.arange(nests.count), seen.traffic.total
    held = traffic.held_tile
    found: _Found = {}
    for letter, part in zip("vbr", PARTS, strict=True):
        touched = traffic.of_parts[part]
        found[f"tile_{letter}"] = _log(1 + touched[-1])
        found[f"held_{letter}"] = _log(1 + touched[held, each])
    outside = np.concatenate([np.zeros((1, nests.count)), np.cumsum(nests.trips > 1, axis=0)])
    count = outside[held, each]
    for i in range(4):
        level = np.argmax(outside >= np.maximum(count - i, 0), axis=0)
        found[f"around_{i}"] = _log((1 + total[level, each]) / processor.l1_bytes)
    for cache, size in (("l1", processor.l1_bytes), ("l2", processor.l2_bytes)):
        level = traffic.fitting(size)
        found[f"fits_{cache}"] = np.minimum(total[level, each] / size, 2.0)
        found[f"exceeds_{cache}"] = _log((1 + total[np.maximum(level - 1, 0), each]) / size)
    return found


def _traffic(seen: _Seen) -> _Found:
    statement, traffic, operations = seen.nests.statement, seen.traffic, seen.operations
    processor = statement.processor
    caches = {"l1": processor.l1_bytes, "l2": processor.l2_bytes, "l3": processor.l3_bytes}
    found: _Found = {}
    loads = traffic.loads
    least = operations / statement.lanes / _PORTS
    waiting = np.zeros(seen.nests.count)
    for letter, part in zip("vbr", PARTS, strict=True):
        found[f"loads_{letter}"] = _log(1 + loads[part] * (1000 / operations))
    for cache, size in caches.items():
        moved = traffic.into(size)
        for letter, part in zip("vbr", PARTS, strict=True):
            found[f"{cache}_{letter}"] = _log(1 + moved[part] * (1000 / operations))
        bytes_ = sum(moved.values(), np.zeros(seen.nests.count))
        found[f"reuse_{cache}"] = np.minimum(_log(operations / np.maximum(bytes_, 1.0)), _MOST_REUSE)
        waiting = waiting + bytes_ / _BROUGHT_A_CYCLE[cache]
    times, sizes = traffic.copied
    copied, turned = sum(times, np.zeros(seen.nests.count)), statement.turned_bytes
    for letter, part in (("v", "vector"), ("b", "broadcast")):
        of_part = [size for size, a in zip(sizes, statement.accesses, strict=True) if a.part == part]
        found[f"packs_{letter}"] = (sum(of_part, np.zeros(seen.nests.count)) > 0).astype(np.float64)
    arithmetic = statement.lanes / traffic.lanes_used / seen.hidden + seen.nests.again / operations
    loading = sum(loads.values(), np.zeros(seen.nests.count)) / _PORTS / least
    copied = copied + seen.nests.passed
    copying = (copied / _COPIED_A_CYCLE + turned / _TURNED_A_CYCLE) / least
    return {
        **found,
        "copied": _log(1 + copied * (1000 / operations)),
        "turned": math.log2(1 + turned * (1000 / operations)),
        "copy": _log((1 + sum(sizes, np.zeros(seen.nests.count))) / processor.l1_bytes),
        "cycles_tile": _log(arithmetic),
        "cycles_loads": _log(1 + loading),
        "cycles_caches": _log(1 + waiting / least),
        "cycles_copies": _log(1 + copying),
        "cycles": _log(np.maximum(arithmetic, loading) + waiting / least + copying),
    }


def _of_task(seen: _Seen) -> _Found:
    task, statement = seen.task, seen.nests.statement
    processor = statement.processor
    summed = math.prod(statement.dims[d] for d in statement.reductions)
    windows = any(sum(map(bool, row[:-1])) > 1 for access in statement.accesses for row in access.map)
    bytes_ = max(1, task.bytes)
    return {
        "operations": math.log2(seen.operations),
        "bytes": math.log2(bytes_),
        "intensity": math.log2(seen.operations / bytes_),
        "points": math.log2(math.prod(statement.dims) / summed),
        "summed": math.log2(summed),
        "dims": float(sum(extent > 1 for extent in statement.dims)),
        "windows": float(windows),
        "element": math.log2(next(a.element_bytes for a in statement.accesses if a.part == "result")),
        "members": float(len(task.members)),
        "against_l1": math.log2(bytes_ / processor.l1_bytes),
        "against_l2": math.log2(bytes_ / processor.l2_bytes),
        "against_l3": math.log2(bytes_ / processor.l3_bytes),
    }
