"""The peers' virtual environments, with pinned versions, as `python -m benchmarks install` makes them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / ".peers"
_FINISHED = "requirements.txt"  # written last, so a folder with the same one is complete

ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "torch": ("torch==2.13.0", "numpy==2.4.6"),
    "jax": ("jax==0.10.2", "jaxlib==0.10.2", "numpy==2.4.6"),
    "iree": ("iree-base-compiler==3.13.0", "iree-base-runtime==3.13.0", "numpy==2.4.6"),
    # With a later apache-tvm-ffi MetaSchedule ends as it starts.
    "tvm": (
        "apache-tvm==0.27.0.post1",
        "apache-tvm-ffi==0.1.14.post1",
        "xgboost-cpu==3.2.0",
        "cloudpickle==3.1.2",
        "psutil==7.2.2",
        "tornado==6.6.1",
        "numpy==2.4.6",
    ),
}


@dataclass(frozen=True)
class Installed:
    """How far the environment `name` in `folder` got; `failure` is pip's last line, None if it is there."""

    name: str
    folder: Path
    failure: str | None


def environment(name: str, folder: Path = FOLDER) -> Path:
    """Where the environment `name` lies, made or not."""
    return folder / name


def is_installed(name: str, folder: Path = FOLDER) -> bool:
    """Whether it is there with the versions named here."""
    finished = environment(name, folder) / _FINISHED
    return finished.is_file() and finished.read_text(encoding="utf-8") == requirements(name)


def install(
    names: Iterable[str] = tuple(ENVIRONMENTS),
    folder: Path = FOLDER,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Installed]:
    """Make what is missing; what cannot be installed is reported, and the others go on.

    Args:
        names: of `ENVIRONMENTS`.
        folder: where they lie, each in a folder of its name.
        progress: is told what is being done, a line at a time.
    """
    outcomes = []
    for name in names:
        failure = None
        if not is_installed(name, folder):
            progress(f"installing {', '.join(ENVIRONMENTS[name])}")
            failure = _make(name, environment(name, folder))
        outcomes.append(Installed(name, environment(name, folder), failure))
    return outcomes


def _make(name: str, place: Path) -> str | None:
    if place.exists():
        shutil.rmtree(place)
    try:
        venv.create(place, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error).splitlines()[-1]
    # Else the last line may be pip's news of itself.
    pip = [str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    command = [*pip, "install", "--quiet", *ENVIRONMENTS[name]]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"pip ended with status {done.returncode}"
    (place / _FINISHED).write_text(requirements(name), encoding="utf-8")
    return None


def requirements(name: str) -> str:
    """What marks a complete environment: the Python and the packages it was made with."""
    version = ".".join(str(part) for part in sys.version_info[:2])
    return "\n".join((f"# Python {version}", *ENVIRONMENTS[name], ""))
