"""What every run over cases shares: news, and the passes over a case with the cells they leave."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.passes import Contender, ContenderError, timed_pass
from benchmarks.peer_process import Unavailable
from benchmarks.results import Absent, Loaded, Pass, Reason, Results, Slow, rounded
from benchmarks.suite import Case
from benchmarks.theirs import Peer


@dataclass(frozen=True)
class CaseTiming:
    """The timing of one case, every finished cell kept at once.

    Attributes:
        case: what is timed.
        results: where the cells go.
        cores: those everything is timed on, one for each thread.
        passes: over the case.
    """

    case: Case
    results: Results
    cores: Sequence[int]
    passes: int

    def unfinished(self, contenders: Iterable[str]) -> list[int]:
        """Numbers of the passes that lack one of the contenders."""
        done = self.results.passes(self.case.name)
        wanted = set(contenders)
        return [n for n in range(self.passes) if n not in done or not wanted <= set(done[n].seconds)]

    def peer_known(self, name: str, outcome: Peer | Unavailable) -> None:
        """Keep whether a peer built the case."""
        if isinstance(outcome, Unavailable):
            self.absent(name, "unsupported" if outcome.unsupported else "failed", outcome.reason)
            return
        loaded = Loaded(self.case.name, name, outcome.build_seconds, outcome.version, outcome.tuning_seconds)
        self.results.add(loaded)

    def settled(self, peers: Sequence[Peer]) -> list[Peer]:
        """Those whose calls are short enough for passes, on the cores where they are timed."""
        quick = []
        for peer in peers:
            try:
                peer.settle(self.cores)
            except ContenderError as error:
                self.absent(peer.name, "failed", str(error))
                continue
            if peer.is_slow:
                self.results.add(Slow(self.case.name, peer.name, peer.call_seconds))
                peer.close()
            else:
                quick.append(peer)
        return quick

    def time(
        self,
        contenders: Sequence[Contender],
        numbers: Sequence[int],
        peak: Callable[[], float],
        bandwidths: Sequence[Callable[[], float]] = (),
        beside: Collection[str] = (),
    ) -> None:
        """Make these passes; `peak` probes the core in FLOP/s, `bandwidths` memory in bytes a second.

        See `timed_pass`.
        """
        left = list(contenders)
        for number in numbers:
            made = timed_pass(left, number, self.passes, peak, bandwidths, beside)
            for name, reason in made.lost.items():
                self.absent(name, "failed", reason)
            left = [contender for contender in left if contender.name not in made.lost]
            if not left:
                return
            seconds = {name: [rounded(s) for s in taken] for name, taken in made.seconds.items()}
            self.results.add(
                Pass(
                    self.case.name,
                    number,
                    made.peaks,
                    made.attempts,
                    made.disturbed,
                    seconds,
                    tuple(map(rounded, made.bandwidths)),
                    tuple(map(rounded, made.bandwidths_alone)),
                    {name: (rounded(a), rounded(b)) for name, (a, b) in made.bandwidths_beside.items()},
                )
            )
            self._tell_pass(number, seconds, [contender.name for contender in contenders])

    def absent(self, name: str, kind: Reason, reason: str) -> None:
        """Keep why a contender has no time."""
        short = (reason.strip().splitlines() or ["no reason was given"])[0]
        tell(f"  {name}: {kind}: {short}")
        self.results.add(Absent(self.case.name, name, kind, short))

    def _tell_pass(self, number: int, seconds: dict[str, list[float]], order: Sequence[str]) -> None:
        flops = self.case.flops
        medians = {name: sorted(of)[len(of) // 2] for name, of in seconds.items()}
        rates = {n: f"{flops / s / 1e9:.1f}" if flops else f"{1e6 * s:.4g} us" for n, s in medians.items()}
        tell(f"  pass {number}: " + ", ".join(f"{n} {rates[n]}" for n in order if n in rates))


def tell(line: str) -> None:
    """News of the run, which are no result."""
    print(line, file=sys.stderr, flush=True)
