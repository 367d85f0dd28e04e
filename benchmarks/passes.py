"""A pass: every contender of a case timed in turns between two probes of the core's peak."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

MOST_DRIFT = 0.03
"""A pass whose probes differ by more was disturbed and is repeated."""
MOST_ATTEMPTS = 4
"""After so many the least disturbed one is kept and marked."""


class ContenderError(Exception):
    """A contender that can be timed no more; the message is one sentence."""


class Contender(Protocol):
    """Something built, checked and ready to be timed."""

    name: str

    def sample(self) -> list[float]:
        """Seconds of one call in each sample, at least one. Raises ContenderError."""
        ...


@dataclass(frozen=True)
class Timed:
    """One pass.

    Attributes:
        peaks: FLOP/s before and after.
        bandwidths: bytes a second before and after, where that is probed too.
        bandwidths_alone: the same of one thread, of a case of several.
        bandwidths_beside: the same as `bandwidths`, right before and after these contenders.
        seconds: of one call in each sample, by contender in the order they were timed.
        lost: contenders that failed, with the reason.
        attempts: how often the pass was made until its probes agreed.
    """

    peaks: tuple[float, float]
    seconds: dict[str, list[float]]
    lost: dict[str, str]
    attempts: int = 1
    bandwidths: tuple[float, ...] = ()
    bandwidths_alone: tuple[float, ...] = ()
    bandwidths_beside: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def drift(self) -> float:
        """Relative difference of the probes."""
        return abs(self.peaks[1] - self.peaks[0]) / max(self.peaks)

    @property
    def disturbed(self) -> bool:
        """Whether the probes differ by more than `MOST_DRIFT`."""
        return self.drift > MOST_DRIFT


def timed_pass(
    contenders: Sequence[Contender],
    number: int,
    of: int,
    peak: Callable[[], float],
    bandwidths: Sequence[Callable[[], float]] = (),
    beside: Collection[str] = (),
) -> Timed:
    """Pass `number` (from 0) of `of`; it starts with another contender than the others.

    `bandwidths` probe memory by all threads of the case, and by one; the first of them right before and
    after the contenders `beside` it, too, as what memory gives changes within a pass.
    A disturbed pass is repeated. A contender that fails is left out of what follows.
    """
    first = number * len(contenders) // of
    left = [*contenders[first:], *contenders[:first]]
    lost: dict[str, str] = {}
    kept: Timed | None = None
    for attempt in range(1, MOST_ATTEMPTS + 1):
        before, wide = peak(), [[probe()] for probe in bandwidths]
        seconds = {}
        probed = {}
        for contender in left:
            probes = bandwidths[:1] if contender.name in beside else ()
            earlier = [probe() for probe in probes]
            try:
                seconds[contender.name] = contender.sample()
            except ContenderError as error:
                lost[contender.name] = str(error)
            for probe, found in zip(probes, earlier, strict=True):
                probed[contender.name] = (found, probe())
        left = [contender for contender in left if contender.name not in lost]
        for probe, all_of_it in zip(bandwidths, wide, strict=True):
            all_of_it.append(probe())
        whole, alone = (*map(tuple, wide), (), ())[:2]
        made = Timed((before, peak()), seconds, lost, attempt, whole, alone, probed)
        if kept is None or made.drift < kept.drift:
            kept = made
        if not kept.disturbed:
            break
    assert kept is not None
    seconds = {name: taken for name, taken in kept.seconds.items() if name not in lost}
    return replace(kept, seconds=seconds, lost=lost, attempts=attempt)
