"""Whether every candidate of a space that is drawn can be measured: transforms, lowers, is right."""

from __future__ import annotations

import random
from collections.abc import Sequence

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import Processor, this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space


def processor_with(
    vector_bytes: int, *, l1_bytes: int | None = None, cache_bytes: int | None = None
) -> Processor:
    """This processor, as if its vectors had that size: other sizes give other, equally right schedules.

    With `l1_bytes` and `cache_bytes`, as if its first cache, or its second and last one, had that size: more
    than the last holds is streamed.
    """
    this = this_processor()
    l1, l2, l3 = l1_bytes or this.l1_bytes, cache_bytes or this.l2_bytes, cache_bytes or this.l3_bytes
    return Processor(this.name, this.features, vector_bytes, 32, l1, l2, l3)


def assert_legal(
    pool: Pool,
    text: str,
    kind: str,
    draws: int,
    seed: int,
    vector_bytes: int = 64,
    *,
    every: bool = False,
    cache_bytes: int | None = None,
) -> int:
    """Measure the default and `draws` more candidates of one of the sketches of a kind, or of `every` one.

    Returns how many sketches there were.
    """
    count = 0
    for task in pool.analyse(text, "kernel.mlir").tasks:
        processor = processor_with(vector_bytes, cache_bytes=cache_bytes)
        spaces = of_kind(sketches_for(task, processor, pool.accuracy, pool.threads), kind)
        count += len(spaces)
        for space in spaces if every or not spaces else [spaces[seed % len(spaces)]]:
            for candidate in drawn(space, draws, seed):
                measurement = pool.measure(task, candidate)
                assert measurement.ok, f"{measurement.failure}\n{candidate.values}\n{text}"
    return count


def of_kind(spaces: Sequence[Space], kind: str) -> list[Space]:
    """Those of the sketches of one kind."""
    return [space for space in spaces if space.sketch.startswith(kind)]


def drawn(space: Space, draws: int, seed: int) -> list[Candidate]:
    """The default and up to `draws` others, each once."""
    rng = random.Random(seed)
    found = [space.default()]
    for _ in range(draws):
        candidate = space.sample(rng)
        assert space.is_legal(candidate)
        if candidate not in found:
            found.append(candidate)
    return found
