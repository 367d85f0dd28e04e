"""The environment is one that Gymnasium's tools can use, and rewards what it should."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from harl_mlir.looptune.actions import CONFIGURATIONS, PAPER, PRODUCT, Configuration
from harl_mlir.looptune.environment import LoopNestEnv
from tests.looptune.problems import CONV, MATMUL, register_share, rules_of

_PROBLEMS = [(MATMUL, rules_of(MATMUL)), (CONV, rules_of(CONV))]


def _number(name: str, configuration: Configuration = PRODUCT) -> int:
    return [action.name for action in configuration.actions].index(name)


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda c: str(c.name))
def test_gymnasium_accepts_it(configuration: Configuration) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*spec.*")
        check_env(LoopNestEnv(_PROBLEMS, configuration, register_share, 1, render_mode="ansi"))


def test_rewards_are_changes_of_the_share() -> None:
    env = LoopNestEnv(_PROBLEMS, PRODUCT, register_share)
    _, info = env.reset(seed=0, options={"problem": 0})
    shares = [info["share"]]
    names = ["cursor 1", "split 32", "swap down", "vector", "cursor 0", "split 8", "swap down"]
    for name in [*names, "swap down", "unroll", "stop"]:
        assert env.action_masks()[_number(name)]
        _, reward, terminated, truncated, info = env.step(_number(name))
        assert reward == pytest.approx(info["share"] - shares[-1])
        shares.append(info["share"])
        assert (terminated, truncated) == (name == "stop", False)
    assert info["nest"] == "0/8 1/32 2/1 0/1u 1/1v"


def test_what_does_not_apply_changes_nothing_and_costs_a_step() -> None:
    env = LoopNestEnv(_PROBLEMS, PAPER, register_share)
    seen, info = env.reset(options={"problem": 1})
    assert not info["action_mask"][_number("up", PAPER)]
    for step in range(PAPER.steps):
        after, reward, terminated, truncated, _ = env.step(_number("up", PAPER))
        np.testing.assert_array_equal(after, seen)
        assert (reward, terminated, truncated) == (0, False, step == PAPER.steps - 1)


def test_paper_is_rewarded_for_what_the_code_generator_makes() -> None:
    env = LoopNestEnv(_PROBLEMS, PAPER, register_share)
    env.reset(options={"problem": 0})
    # A vector of products is summed in one register; three vectors of two along a row of C are kept in six.
    assert env.share == 1 / 32
    env.step(_number("down", PAPER))
    _, reward, *_ = env.step(_number("swap down", PAPER))
    assert reward == pytest.approx(5 / 32)


def test_a_seed_decides_the_problems() -> None:
    def drawn(seed: int) -> list[str]:
        env = LoopNestEnv(_PROBLEMS, PRODUCT, register_share, seed)
        return [env.reset()[1]["nest"] for _ in range(10)]

    assert drawn(1) == drawn(1)
    assert len(set(drawn(1))) == 2


def test_rendering_spells_the_nest() -> None:
    env = LoopNestEnv(_PROBLEMS, PRODUCT, register_share, render_mode="ansi")
    env.reset(options={"problem": 0})
    env.step(_number("split 8"))
    assert env.render() == "m/8, m:8, n, k; cursor on loop 1; share 0.031"
    assert env.graph.nodes["loop", 1]["cursor"]
    assert LoopNestEnv(_PROBLEMS, PRODUCT, register_share).render() is None


def test_there_has_to_be_a_problem() -> None:
    with pytest.raises(ValueError, match="problem"):
        LoopNestEnv([], PRODUCT, register_share)


def test_walks_need_no_gymnasium() -> None:
    modules = "actions, graph, measured, observation, shares, state"
    script = f"import sys; from harl_mlir.looptune import {modules}; sys.exit('gymnasium' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
