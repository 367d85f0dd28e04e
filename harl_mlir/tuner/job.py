"""What the tuner is to do, as text: reading and writing files is `session.py`'s affair."""

from __future__ import annotations

from dataclasses import dataclass, field

from harl_mlir.errors import UsageError
from harl_mlir.search.registry import LOOPTUNE
from harl_mlir.settings import Settings

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""Static shapes for arguments with dynamic dims, by argument name (`--shape ARG=DIMxDIM`)."""


@dataclass(frozen=True)
class Job:
    """A kernel and what to do with it.

    Attributes:
        kernel: MLIR text; `name` stands for it in messages and places.
        function: tune only this function.
        shapes: see `Shapes`.
        script: the text of a schedule of the user's own whose knobs are the space; `script_name` stands
            for it in messages.
        tunable: keep the knobs in the library.
        settings: how to search.

    Raises:
        UsageError: the agent cannot set the knobs of a script.
    """

    kernel: str
    name: str
    function: str | None = None
    shapes: Shapes = ()
    script: str | None = None
    script_name: str = "script"
    tunable: bool = False
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        if self.script is not None:
            check_script_agent(self.settings.agent)


def check_script_agent(agent: str) -> None:
    """Refuse an agent that cannot set the knobs of a script. Raises UsageError."""
    if agent == LOOPTUNE:
        raise UsageError("looptune walks loop nests, not the knobs of a script; use another --agent")
