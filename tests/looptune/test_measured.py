"""Shares of nests that run."""

from __future__ import annotations

from harl_mlir.looptune.measured import MeasuredShares
from harl_mlir.looptune.problems import Matmul
from harl_mlir.measure.limits import Limits
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.space import rules_for


def test_each_nest_is_measured_once() -> None:
    with Pool(limits=Limits(build_seconds=4.0)) as pool:
        (task,) = pool.analyse(Matmul(64, 64, 64).function(), "matmul.mlir").tasks
        rules = rules_for(task, this_processor())
        assert rules is not None
        shares = MeasuredShares(pool)
        tile = parse((64, 64, 64), f"0/2 1/{rules.lanes} 2/1 0/1u 1/1v")
        endless = parse((64, 64, 64), "0/1v 1/1v 2/1v")
        found = shares(task, rules, [tile, endless, tile])
        assert 0 < found[0] < 1.5
        assert found[2] == found[0]
        assert found[1] == 0
        assert (shares.trials, shares.failures) == (2, 1)
