"""What an agent can do to a loop nest in one step, and which of that applies.

Two configurations: that of LoopTune (arXiv 2309.01825, section 4), where marks are left to the code
generator, and this project's own, which reaches register tiles in few steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harl_mlir.looptune.state import WalkState
from harl_mlir.space.nest import moves
from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.nest import LoopNest, Mark
from harl_mlir.space.nest.rules import MOST_LOOPS, NestRules

_Move = Callable[[WalkState], WalkState | None]
STOP = "stop"


@dataclass(frozen=True)
class Action:
    """One action.

    Attributes:
        name: `up`, `swap down`, `split 4`, `cursor 3`, `vector`, `stop` and the like.
        move: what it makes of a state by itself; None where it does not apply.
    """

    name: str
    move: _Move = field(repr=False, compare=False)


@dataclass(frozen=True)
class Configuration:
    """What an agent may do.

    Attributes:
        steps: after how many an episode ends.
        most_loops: of a nest.
        generates: whether marks are made by the code generator rather than by actions.
    """

    name: str
    actions: tuple[Action, ...]
    steps: int
    most_loops: int
    generates: bool

    def realised(self, nest: LoopNest, rules: NestRules) -> LoopNest:
        """The nest that is scheduled for a state's nest."""
        return generated(nest, rules) if self.generates else nest


def successors(
    state: WalkState, configuration: Configuration, rules: NestRules
) -> tuple[WalkState | None, ...]:
    """The state after each action of the configuration, None where that is illegal or changes nothing.

    `stop` gives the state itself. Where no action applies the first one does, and changes nothing.
    `state.nest` has to be legal.
    """
    found = tuple(
        _checked(action.move(state), state, configuration, rules) for action in configuration.actions
    )
    return found if any(found) else (state, *found[1:])


def _checked(
    made: WalkState | None, state: WalkState, configuration: Configuration, rules: NestRules
) -> WalkState | None:
    if made is None or made.nest is state.nest:
        return made
    few = len(made.nest.loops) <= configuration.most_loops
    return made if few and rules.is_legal(made.nest) else None


def _cursor_by(by: int) -> _Move:
    return lambda state: _with_cursor(state, state.cursor + by)


def _cursor_to(at: int) -> _Move:
    return lambda state: _with_cursor(state, at)


def _with_cursor(state: WalkState, at: int) -> WalkState | None:
    return WalkState(state.nest, at) if 0 <= at < len(state.nest.loops) and at != state.cursor else None


def _swap(by: int) -> _Move:
    """The loop at the cursor changes places with its neighbour, and the cursor goes with it."""

    def move(state: WalkState) -> WalkState | None:
        nest = moves.swap(state.nest, min(state.cursor, state.cursor + by))
        return None if nest is None else WalkState(nest, state.cursor + by)

    return move


def _split(factor: int) -> _Move:
    """The cursor stays on the inner part, which is what moves inwards to become a part of the tile."""

    def move(state: WalkState) -> WalkState | None:
        nest = moves.split(state.nest, state.cursor, factor)
        return None if nest is None else WalkState(nest, state.cursor + 1)

    return move


def _merge(state: WalkState) -> WalkState | None:
    """The loop at the cursor and the one directly inside it, else the one directly around it, become one.

    The second undoes a split.
    """
    for outer in (state.cursor, state.cursor - 1):
        nest = moves.merge(state.nest, outer) if outer >= 0 else None
        if nest is not None:
            return WalkState(nest, outer)
    return None


def _mark(how: Mark) -> _Move:
    """The innermost loop without a mark gets one, wherever the cursor is."""

    def move(state: WalkState) -> WalkState | None:
        nest = moves.mark(state.nest, len(state.nest.loops) - 1 - state.nest.marked, how)
        return None if nest is None else WalkState(nest, state.cursor)

    return move


_WALKING = (
    Action("up", _cursor_by(-1)),
    Action("down", _cursor_by(1)),
    Action("swap up", _swap(-1)),
    Action("swap down", _swap(1)),
)
PAPER = Configuration(
    "paper",
    (*_WALKING, *(Action(f"split {factor}", _split(factor)) for factor in (4, 8, 16))),
    steps=10,
    most_loops=10,
    generates=True,
)
PRODUCT = Configuration(
    "product",
    (
        *_WALKING,
        *(Action(f"split {factor}", _split(factor)) for factor in moves.FACTORS),
        Action("merge", _merge),
        Action("vector", _mark("v")),
        Action("unroll", _mark("u")),
        *(Action(f"cursor {at}", _cursor_to(at)) for at in range(MOST_LOOPS)),
        Action(STOP, lambda state: state),
    ),
    steps=30,
    most_loops=MOST_LOOPS,
    generates=False,
)
CONFIGURATIONS = (PAPER, PRODUCT)
