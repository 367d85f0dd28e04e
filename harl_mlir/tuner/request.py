"""What the command line asks of the tuner: files in, files out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harl_mlir.errors import UsageError
from harl_mlir.files import same_file
from harl_mlir.settings import Settings
from harl_mlir.tuner.job import Shapes, check_script_agent

__all__ = ["Request", "Shapes"]


@dataclass(frozen=True)
class Request:
    """A kernel file, what to do with it, and where the results go.

    Attributes:
        kernel: the .mlir file.
        library: where the schedule library (with `script`: the script, its knobs selected) is written.
        database: where measurements are kept.
        output: where the kernel with its schedules applied is written, if anywhere.
        function: tune only this function.
        shapes: see `Shapes`.
        script: a schedule of the user's own whose knobs are the space.
        tunable: keep the knobs in the library.
        settings: how to search.

    Raises:
        UsageError: two of the files are one, or the agent cannot set the knobs of a script.
    """

    kernel: Path
    library: Path
    database: Path
    output: Path | None = None
    function: str | None = None
    shapes: Shapes = ()
    script: Path | None = None
    tunable: bool = False
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        if self.script is not None:
            check_script_agent(self.settings.agent)
        named = [
            ("KERNEL.mlir", self.kernel),
            ("--library", self.library),
            ("-o", self.output),
            ("--schedule", self.script),
            ("--db", self.database),
        ]
        seen: list[tuple[str, Path]] = []
        for option, path in named:
            if path is None:
                continue
            for other, known in seen:
                if same_file(path, known) and not _is_device(path):
                    raise UsageError(
                        f"{other} and {option} both name {path}; name another file with {option}"
                    )
            seen.append((option, path))


def _is_device(path: Path) -> bool:
    return path.is_char_device() or path.is_fifo()
