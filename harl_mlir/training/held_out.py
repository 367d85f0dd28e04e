"""The workloads no weights may be trained on: those that the search is judged by.

`harl_mlir/weights/held_out.json` was frozen before anything was trained. `python -m benchmarks.held_out`
adds to it from kernels; nothing is ever removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from harl_mlir.errors import InputError, Place

HELD_OUT_FILE = Path(__file__).parent.parent / "weights" / "held_out.json"
FORMAT = 1


class HeldOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Workload keys, each with the names of the cases, spaces and kernels it occurs in."""

    format: int = FORMAT
    workloads: dict[str, list[str]] = {}


def load_held_out(path: Path = HELD_OUT_FILE) -> HeldOut:
    """Read a list.

    Raises:
        InputError: it is missing or no such list.
    """
    try:
        held = msgspec.json.decode(path.read_bytes(), type=HeldOut)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(
            f"the list of held-out workloads cannot be read ({error})", Place(str(path))
        ) from error
    if held.format != FORMAT:
        raise InputError(f"it has format {held.format}, this program reads {FORMAT}", Place(str(path)))
    return held


def extended(held: HeldOut, found: Mapping[str, set[str]]) -> HeldOut:
    """The list with further keys and names; what it holds stays."""
    names = {key: set(known) for key, known in held.workloads.items()}
    for key, more in found.items():
        names.setdefault(key, set()).update(more)
    return HeldOut(workloads={key: sorted(names[key]) for key in sorted(names)})


def encode(held: HeldOut) -> bytes:
    """The bytes of a file: one line a workload."""
    return msgspec.json.format(msgspec.json.encode(held), indent=1) + b"\n"
