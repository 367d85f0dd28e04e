"""What training goes on from after it was stopped, in one file that is replaced whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from harl_mlir.errors import InputError, Place
from harl_mlir.files import Output
from harl_mlir.search.flat_weights import Floats

FILE = "checkpoint.msgpack"


class Point(msgspec.Struct, frozen=True):
    """A point of a curve: after so many updates of a policy, means over its walks of some last ones.

    `last` is the share of the peak, by the estimate, where walks ended, `best` the greatest on the way.
    """

    configuration: str
    stretch: int
    updates: int
    last: float
    best: float


class Checkpoint(msgspec.Struct):
    """What there is after `stretches`.

    Attributes:
        seed: of the training.
        peak: FLOP/s of the core when it began; all shares are of that.
        measured_seconds: spent on measuring so far, and `seconds` on everything.
        errors: of each stretch's estimate on a tenth of the records, which it was not fitted to: root mean
            squares.
        policies: by configuration, what `Learner.go_on` takes, as bytes of float32.
        wanted: nests that the policies reached, by workload key, to be measured next.
    """

    seed: int
    peak: float = 0.0
    stretches: int = 0
    measured_seconds: float = 0.0
    seconds: float = 0.0
    errors: list[float] = []
    curve: list[Point] = []
    policies: dict[str, dict[str, bytes]] = {}
    wanted: list[tuple[str, str]] = []

    def state(self, configuration: str) -> dict[str, Floats] | None:
        """The state of a learner; None before the first stretch."""
        if configuration not in self.policies:
            return None
        held = self.policies[configuration]
        return {name: np.frombuffer(data, dtype=np.float32) for name, data in held.items()}

    def keep(self, configuration: str, state: Mapping[str, Floats]) -> None:
        """Take in the state of a learner."""
        self.policies[configuration] = {name: array.tobytes() for name, array in state.items()}


def read(directory: Path, seed: int) -> Checkpoint:
    """The checkpoint in a directory, or a new one.

    Raises:
        InputError: it cannot be read, or is of training with another seed.
    """
    path = directory / FILE
    if not path.exists():
        return Checkpoint(seed)
    try:
        found = msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(
            f"this checkpoint cannot be read ({error}); remove it to start again", Place(str(path))
        ) from error
    if found.seed != seed:
        raise InputError(
            f"training with seed {found.seed} was begun here; go on with that, or use another -o",
            Place(str(path)),
        )
    return found


def write(directory: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint of a directory."""
    Output(directory / FILE, "-o").write_bytes(msgspec.msgpack.encode(checkpoint))
