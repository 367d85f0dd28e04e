"""A search over recorded measurements: nothing is compiled or timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harl_mlir.measure.measurement import Measurement
from harl_mlir.search.agent import Agent, Trial
from harl_mlir.space.candidate import Candidate

_BATCH = 8


def replay(
    agent: Agent, table: Sequence[Mapping[Candidate, Measurement]], trials: int, batch: int = _BATCH
) -> list[Trial]:
    """Run `agent` for at most `trials` trials, answered from the table of each problem.

    Fewer trials come back if the agent has nothing left to try.

    Raises:
        KeyError: the agent proposed a candidate that is not in its problem's table.
    """
    done: list[Trial] = []
    while len(done) < trials:
        proposals = agent.propose(min(batch, trials - len(done)))
        if not proposals:
            break
        measured = [Trial(p, table[p.problem][p.candidate]) for p in proposals]
        agent.observe(measured)
        done += measured
    return done
