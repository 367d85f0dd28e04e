"""Made-up problems with known answers: what the search policies are tried on."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.search.agent import Problem
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.space import Space
from harl_mlir.tasks.linalg_op import BodyOp, LinalgOp, Operand
from harl_mlir.tasks.task import Member, Source, Task, TensorType

Seconds = Callable[[Mapping[str, Value]], float | None]
Table = dict[Candidate, Measurement]


def matmul_task(m: int = 512, n: int = 512, k: int = 512, weight: int = 1) -> Task:
    shapes = ((m, k), (k, n), (m, n))
    maps = (((1, 0, 0, 0), (0, 0, 1, 0)), ((0, 0, 1, 0), (0, 1, 0, 0)), ((1, 0, 0, 0), (0, 1, 0, 0)))
    op = LinalgOp(
        name="linalg.matmul",
        dims=(m, n, k),
        iterators=("parallel", "parallel", "reduction"),
        operands=tuple(Operand(s, "f32", a) for s, a in zip(shapes, maps, strict=True)),
        body=(BodyOp("arith.mulf", (0, 1), "f32"), BodyOp("arith.addf", (2, 3), "f32")),
        yields=4,
    )
    return Task(
        key=f"matmul-{m}-{n}-{k}",
        kernel="",
        arguments=tuple(TensorType(s, "f32") for s in shapes),
        members=(Member(op, tuple(Source("argument", i) for i in range(3))),),
        anchor=0,
        results=(0,),
        weight=weight,
    )


@dataclass(frozen=True)
class Landscape:
    """A problem and the measurement of every legal candidate of it."""

    problem: Problem
    table: Table

    @property
    def best_seconds(self) -> float:
        return min(m.seconds for m in self.table.values() if m.seconds is not None)


def landscape(task: Task, *sketches: tuple[Space, Seconds]) -> Landscape:
    table: Table = {}
    for space, seconds in sketches:
        names = [d.name for d in space.decisions]
        for values in itertools.product(*(d.values for d in space.decisions)):
            assignment = dict(zip(names, values, strict=True))
            if space.constraint(assignment):
                time = seconds(assignment)
                table[space.candidate(assignment)] = (
                    failed("crash", "planted") if time is None else Measurement(seconds=time)
                )
    return Landscape(Problem(task, tuple(space for space, _ in sketches)), table)


def matmul_landscape(seed: int = 0, weight: int = 1, size: int = 512) -> Landscape:
    """Three sketches of about 12,000 legal candidates together, a few of them good.

    Like a matmul on a core: a register tile that must neither starve nor spill, cache tiles with a
    best footprint, packing that pays for some tiles, an unroll that fails on large register tiles.
    `seed` moves the optimum and the unevenness.
    """
    rng = random.Random(seed)
    task = matmul_task(size, size, size, weight)
    tiled = _tiled_space("tiled")
    register, footprint, unroll = rng.choice((8, 12, 16)), rng.uniform(12, 15), rng.choice((2, 4))
    uneven: dict[Value | tuple[Value, ...], float] = {}
    flops_a_second = 1e11

    def efficiency(at: Mapping[str, Value]) -> float | None:
        mr, nr, mc, nc, kc, u = (int(at[name]) for name in ("mr", "nr", "mc", "nc", "kc", "unroll"))
        accumulators = mr * nr // 16
        if accumulators * u > 64 or (at["order"] == "kmn" and mc == 128):
            return None
        value = min(1.0, accumulators / register) * (1.0 if accumulators <= 30 else 0.35)
        value *= math.exp(-0.05 * (math.log2(mc * kc + kc * nc) - footprint) ** 2)
        value *= 1 - 0.12 * abs(math.log2(u) - math.log2(unroll))
        value *= {"mnk": 0.85, "nmk": 1.0, "kmn": 0.6}[str(at["order"])]
        value *= (1.0 if nc <= 64 else 0.8) if at["pack"] == "none" else (0.88 if nc <= 64 else 1.0)
        key = (mc, nc, kc, mr, nr)
        return value * uneven.setdefault(key, math.exp(rng.gauss(0, 0.04)))

    def seconds(scale: float) -> Seconds:
        def at(assignment: Mapping[str, Value]) -> float | None:
            value = efficiency(assignment)
            return None if value is None else task.flops / (flops_a_second * scale * value)

        return at

    flat = Space(
        "flat",
        1,
        (Decision("width", (8, 16, 32, 64), 16), Decision("unroll", (1, 2, 4, 8), 1)),
    )

    def flat_seconds(at: Mapping[str, Value]) -> float | None:
        return task.flops / (flops_a_second * (0.1 + 0.01 * math.log2(int(at["width"]) * int(at["unroll"]))))

    return landscape(
        task,
        (flat, flat_seconds),
        (tiled, seconds(1.0)),
        (replace(tiled, sketch="spilled"), seconds(0.5)),
    )


def _tiled_space(name: str) -> Space:
    def fits(at: Mapping[str, Value]) -> bool:
        mr, nr, mc, nc = (int(at[name]) for name in ("mr", "nr", "mc", "nc"))
        return mr <= mc // 4 and nr <= nc and mc * nc <= 1 << 13

    decisions = (
        Decision("mc", (16, 32, 64, 128), 64),
        Decision("nc", (16, 32, 64, 128), 64),
        Decision("kc", (64, 128, 256), 128),
        Decision("mr", (1, 2, 4, 8), 2),
        Decision("nr", (16, 32, 64), 16),
        Decision("unroll", (1, 2, 4), 1),
        Decision("order", ("mnk", "nmk", "kmn"), "mnk", ordered=False),
        Decision("pack", ("none", "b"), "none", ordered=False),
    )
    return Space(name, 1, decisions, fits)
