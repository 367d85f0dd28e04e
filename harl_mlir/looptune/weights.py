"""What walks need, as a directory: an estimate, a policy for each configuration, and how they were made."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from harl_mlir.errors import InputError, Place
from harl_mlir.files import Output
from harl_mlir.looptune.actions import CONFIGURATIONS, Configuration
from harl_mlir.looptune.columns import COLUMNS
from harl_mlir.looptune.observation import width
from harl_mlir.looptune.trees import Trees, from_bytes, trees_of
from harl_mlir.search.flat_weights import Floats
from harl_mlir.search.registry import LOOPTUNE_WEIGHTS

if TYPE_CHECKING:  # importing it takes a while
    import xgboost

SHIPPED = LOOPTUNE_WEIGHTS
"""Those that come with the package."""
FORMAT = 1
ESTIMATE, ABOUT = "estimate.npz", "about.json"
_AGAIN = "train them again with harl-mlir train --agent looptune"


class About(msgspec.Struct, frozen=True):
    """What `about.json` must say; the rest is for people.

    `columns` are those of the estimate, `widths` the lengths of each configuration's observations, `actions`
    the names of its actions, `files` the SHA-256 of the other files, `peak_gflops` what shares are
    of, `nests` as `Weights` has them.
    """

    format: int
    agent: str
    columns: tuple[str, ...]
    widths: dict[str, int]
    actions: dict[str, tuple[str, ...]]
    files: dict[str, str]
    peak_gflops: float
    nests: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Weights:
    """Trained weights.

    Attributes:
        policies: by configuration, the weights of its network by name.
        peak_gflops: of the core that was trained on; shares are of it.
        trees: predict shares of the peak from `COLUMNS`.
        nests: texts of nests that were best for problems of the training.
    """

    policies: Mapping[str, dict[str, Floats]]
    peak_gflops: float
    trees: Trees
    nests: tuple[str, ...] = ()


@lru_cache(maxsize=4)
def load(directory: Path) -> Weights:
    """Read the weights in a directory.

    Raises:
        InputError: they are missing, damaged, or made for another version of this program.
    """
    place = Place(str(directory))
    names = (ESTIMATE, ABOUT, *(_policy_file(configuration) for configuration in CONFIGURATIONS))
    try:
        data = {name: (directory / name).read_bytes() for name in names}
        about = msgspec.json.decode(data[ABOUT], type=About)
        made_for = (about.format, about.agent, about.columns, about.widths, about.actions)
        if made_for != (FORMAT, "looptune", COLUMNS, *_shapes()):
            raise InputError(f"these weights are of another agent or version; {_AGAIN}", place)
        for name in (name for name in names if name != ABOUT):
            if hashlib.sha256(data[name]).hexdigest() != about.files.get(name):
                raise InputError(f"{name} is not the file that {ABOUT} tells of; {_AGAIN}", place)
        trees = from_bytes(data[ESTIMATE])
        policies = {c.name: _read_policy(data[_policy_file(c)]) for c in CONFIGURATIONS}
    except FileNotFoundError as error:
        raise InputError(
            f"there are no weights of looptune here ({error.filename} is missing); name the directory that "
            "harl-mlir train --agent looptune wrote",
            place,
        ) from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise InputError(f"these weights cannot be read ({error}); {_AGAIN}", place) from error
    return Weights(policies, about.peak_gflops, trees, about.nests)


def write(
    directory: Path,
    booster: xgboost.Booster | Trees,
    policies: Mapping[str, Mapping[str, Floats]],
    peak_gflops: float,
    facts: Mapping[str, Any],
    nests: Sequence[str] = (),
) -> tuple[Path, ...]:
    """Write a directory of weights; `facts` go into `about.json`. The paths written."""
    trees = booster if isinstance(booster, Trees) else trees_of(booster)
    files = {ESTIMATE: trees.to_bytes()}
    files |= {_policy_file(c): _policy_bytes(policies[c.name]) for c in CONFIGURATIONS}
    widths, actions = _shapes()
    about = {
        "format": FORMAT,
        "agent": "looptune",
        "peak_gflops": peak_gflops,
        **facts,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "widths": widths,
        "actions": actions,
        "columns": COLUMNS,
        "nests": nests,
    }
    files[ABOUT] = msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n"
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        Output(directory / name, "-o").write_bytes(data)
    load.cache_clear()
    return tuple(directory / name for name in files)


def _shapes() -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    widths = {configuration.name: width(configuration) for configuration in CONFIGURATIONS}
    actions = {c.name: tuple(action.name for action in c.actions) for c in CONFIGURATIONS}
    return widths, actions


def _policy_file(configuration: Configuration) -> str:
    return f"{configuration.name}.npz"


def _policy_bytes(weights: Mapping[str, Floats]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, weight in sorted(weights.items()):
            array = io.BytesIO()
            np.lib.format.write_array(array, weight, allow_pickle=False)
            # A fixed date: the file depends on nothing but the weights.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array.getvalue(), zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _read_policy(data: bytes) -> dict[str, Floats]:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: np.asarray(archive[name], dtype=np.float32) for name in archive.files}
