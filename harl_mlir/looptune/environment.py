"""The walk through loop nests as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import networkx as nx
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from harl_mlir.looptune.actions import STOP, Configuration, successors
from harl_mlir.looptune.graph import state_graph
from harl_mlir.looptune.observation import HIGHEST, LOWEST, observe, width
from harl_mlir.looptune.shares import Shares
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.loop_names import dimension_names
from harl_mlir.tasks.task import Task


class LoopNestEnv(gymnasium.Env[NDArray[np.float32], np.int64]):
    """An episode walks through the nests of one problem, drawn from those given, from the nest as it came.

    The reward of a step is by how much it changes the share of the peak that `shares` gives for the nest.
    An action that does not apply changes nothing; `info["action_mask"]` tells which do. `stop` terminates
    an episode, the configuration's number of steps truncates it.

    Observations are those of `observation.observe`. `info` also holds `share`, and `nest` as text.

    Attributes:
        state: where the walk stands.
        task, rules: of the problem.
        share: of the state's nest.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012  (as in Env)

    state: WalkState
    task: Task
    rules: NestRules
    share: float

    def __init__(
        self,
        problems: Sequence[tuple[Task, NestRules]],
        configuration: Configuration,
        shares: Shares,
        seed: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        """`seed` is for the first `reset` that has none. Raises ValueError if there is no problem."""
        if not problems:
            raise ValueError("an environment needs a problem at least")
        self.render_mode = render_mode
        self.action_space = spaces.Discrete(len(configuration.actions))
        self.observation_space = spaces.Box(LOWEST, HIGHEST, (width(configuration),), np.float32)
        self._problems = tuple(problems)
        self._configuration = configuration
        self._shares = shares
        self._seed = seed
        self._steps = 0
        self._after: tuple[WalkState | None, ...] = ()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start an episode; `options={"problem": number}` chooses its problem."""
        super().reset(seed=self._seed if seed is None else seed)
        self._seed = None
        number = (options or {}).get("problem")
        if number is None:
            number = int(self.np_random.integers(len(self._problems)))
        self.task, self.rules = self._problems[number]
        self._steps = 0
        self._move_to(start(self.rules.op.dims))
        self.share = self._share_of(self._realised())
        return self._observation(), self._info()

    def step(self, action: np.int64 | int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Take an action: the observation, the reward, whether `stop` or the last step ended the episode."""
        self._steps += 1
        before, share = self._realised(), self.share
        self._move_to(self._after[int(action)] or self.state)
        if (nest := self._realised()) != before:
            self.share = self._share_of(nest)
        stopped = self._configuration.actions[int(action)].name == STOP
        ended = not stopped and self._steps >= self._configuration.steps
        return self._observation(), self.share - share, stopped, ended, self._info()

    def render(self) -> str | None:
        """The state's nest in words, where the cursor is, and the share, if the mode is `ansi`."""
        if self.render_mode != "ansi":
            return None
        names = dimension_names(self.rules.op)
        return f"{self.state.nest.spelled(names)}; cursor on loop {self.state.cursor}; share {self.share:.3f}"

    @property
    def graph(self) -> nx.DiGraph:
        """The state as a graph of loops, data and computation; see `graph.state_graph`."""
        return state_graph(self.state, self.rules)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions apply in the state: bool of shape (actions,)."""
        return np.array([state is not None for state in self._after])

    def _move_to(self, state: WalkState) -> None:
        self.state = state
        self._after = successors(state, self._configuration, self.rules)

    def _realised(self) -> LoopNest:
        return self._configuration.realised(self.state.nest, self.rules)

    def _share_of(self, nest: LoopNest) -> float:
        return float(self._shares(self.task, self.rules, [nest])[0])

    def _observation(self) -> NDArray[np.float32]:
        left = max(0, self._configuration.steps - self._steps)
        return observe(self.state, self.task, self.rules, self._configuration, left)

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self.action_masks(), "share": self.share, "nest": self.state.nest.text()}
