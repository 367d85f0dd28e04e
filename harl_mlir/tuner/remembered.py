"""What the records of a task say is its best schedule, without measuring anything."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harl_mlir.measure.measurement import Measurement
from harl_mlir.records.record import UNTUNED, Record
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space


def best_recorded(records: Sequence[Record], spaces: Collection[Space]) -> Candidate | None:
    """The candidate to take by a task's records, oldest first, of one environment.

    It is what won when finalists were timed in turns last, unless a later trial was faster than the winner's
    own trial; without finalists the fastest trial. Of each candidate the newest trial counts, if one of the
    spaces still holds it. None where nothing runs, or the untuned kernel is the fastest.
    """
    legal = {r.candidate for r in records if any(space.is_legal(r.candidate) for space in spaces)} | {UNTUNED}
    screened = {r.candidate: r for r in records if r.stage != "final" and r.candidate in legal}
    timed = {c: s for c, r in screened.items() if (s := r.measurement.seconds) is not None}
    last = max((r.time for r in records if r.stage == "final"), default=None)
    if last is not None:
        finals = {r.candidate: r.measurement for r in records if r.stage == "final" and r.time == last}
        winner = _fastest({c: m for c, m in finals.items() if c in legal})
        if winner is not None and winner in timed:
            later = {c: s for c, s in timed.items() if screened[c].time > last and c != UNTUNED}
            timed = {winner: timed[winner], **later}
    best = min(timed, key=timed.__getitem__, default=None)
    return None if best == UNTUNED else best


def _fastest(measured: dict[Candidate, Measurement]) -> Candidate | None:
    timed = {c: m.seconds for c, m in measured.items() if m.seconds is not None}
    return min(timed, key=timed.__getitem__, default=None)
