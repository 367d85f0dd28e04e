"""Weights that a search may start from: a cost model and a policy trained on other tasks.

A directory of three files: `cost_model.json` (XGBoost's own format, on the columns of loop nests),
`policy.npz` (the policy's weights by name) and `about.json`, which says how they were made.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from harl_mlir.errors import InputError, Place
from harl_mlir.search.flat_weights import Floats
from harl_mlir.search.nest_columns import COLUMNS
from harl_mlir.search.registry import SHIPPED_WEIGHTS

if TYPE_CHECKING:  # importing it takes a while
    import xgboost

FORMAT = 1
COST_MODEL, POLICY, ABOUT = "cost_model.json", "policy.npz", "about.json"


class About(msgspec.Struct, frozen=True):
    """What `about.json` must say; the rest is for people.

    `columns` are the names of the cost model's columns, `files` the SHA-256 of the two other files.
    """

    format: int
    agent: str
    columns: tuple[str, ...]
    files: dict[str, str]


@dataclass(frozen=True, eq=False)
class Pretrained:
    """Trained weights.

    Attributes:
        digest: tells one set of weights from another.
        policy: of `MovePolicy.set_weights`.
    """

    digest: str
    policy: dict[str, Floats]
    _booster: bytes

    @cached_property
    def cost_model(self) -> xgboost.Booster:
        """Predicts the throughput relative to the task's best from the columns of the loop nest."""
        import xgboost

        return xgboost.Booster({"nthread": 1}, model_file=bytearray(self._booster))


@lru_cache(maxsize=4)
def load(directory: Path) -> Pretrained:
    """Read the weights in a directory.

    Raises:
        InputError: they are missing, damaged, or made for other columns.
    """
    place = Place(str(directory))
    try:
        texts = {name: (directory / name).read_bytes() for name in (COST_MODEL, POLICY, ABOUT)}
        about = msgspec.json.decode(texts[ABOUT], type=About)
        if (about.format, about.agent) != (FORMAT, "harl"):
            raise InputError("these weights are of another program or version; train them again", place)
        if about.columns != COLUMNS:
            raise InputError("these weights were trained on other features; train them again", place)
        for name, digest in about.files.items():
            if hashlib.sha256(texts.get(name, b"")).hexdigest() != digest:
                raise InputError(f"{name} is not the file that {ABOUT} tells of; train them again", place)
        with np.load(io.BytesIO(texts[POLICY]), allow_pickle=False) as archive:
            policy = {name: np.asarray(archive[name], dtype=np.float32) for name in archive.files}
    except FileNotFoundError as error:
        raise InputError(
            f"there are no weights here ({error.filename} is missing); name the directory that "
            "`harl-mlir train` wrote, or none",
            place,
        ) from None
    except (OSError, ValueError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise InputError(f"these weights cannot be read ({error}); train them again", place) from error
    digest = hashlib.sha256(texts[COST_MODEL] + texts[POLICY]).hexdigest()[:16]
    return Pretrained(digest, policy, texts[COST_MODEL])


def load_weights(directory: Path | None) -> Pretrained | None:
    """The weights to start from: None for none, and where the package ships none.

    Raises:
        InputError: see `load`.
    """
    if directory is None or (directory == SHIPPED_WEIGHTS and not (directory / ABOUT).is_file()):
        return None
    return load(directory)


def write(
    directory: Path, booster: xgboost.Booster, policy: dict[str, Floats], facts: dict[str, Any]
) -> tuple[Path, ...]:
    """Write a directory of weights; `facts` go into `about.json`. The paths written."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, weight in sorted(policy.items()):
            array = io.BytesIO()
            np.lib.format.write_array(array, weight, allow_pickle=False)
            # A fixed date: the file depends on nothing but the weights.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array.getvalue(), zipfile.ZIP_DEFLATED)
    files = {COST_MODEL: slim(booster), POLICY: held.getvalue()}
    about = {
        "format": FORMAT,
        "agent": "harl",
        **facts,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "columns": COLUMNS,
    }
    directory.mkdir(parents=True, exist_ok=True)
    files[ABOUT] = msgspec.json.format(msgspec.json.encode(about), indent=1) + b"\n"
    for name, data in files.items():
        (directory / name).write_bytes(data)
    load.cache_clear()
    return tuple(directory / name for name in files)


_UNUSED = ("base_weights", "loss_changes", "sum_hessian")
"""Of every node; predictions do not need them."""
_DIGITS = 6


def slim(booster: xgboost.Booster) -> bytes:
    """XGBoost's JSON of a booster without what predictions do not need, leaves to six digits."""
    model = msgspec.json.decode(bytes(booster.save_raw("json")))
    for tree in model["learner"]["gradient_booster"]["model"]["trees"]:
        for name in _UNUSED:
            tree[name] = [0.0] * len(tree[name])
        # Splits stay as they are: they are values of features, which must fall on the same side again.
        tree["split_conditions"] = [
            float(f"{value:.{_DIGITS}g}") if child < 0 else value
            for value, child in zip(tree["split_conditions"], tree["left_children"], strict=True)
        ]
    return bytes(msgspec.json.encode(model))
