"""The directory that `export` writes: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harl_mlir import __version__
from harl_mlir.errors import InputError, Place
from harl_mlir.export.header import c_header
from harl_mlir.export.link import archive, libraries, link_shared, runtime, runtime_flags
from harl_mlir.export.package import cmake_config, pkg_config
from harl_mlir.files import umask
from harl_mlir.measure.answers import Compiled

_SYSTEM_LIBRARIES = frozenset({"c", "m", "dl", "rt", "pthread", "util", "gcc", "gcc_s", "stdc++", "atomic"})


def library_name(kernel: Path) -> str:
    """The name of the library made of a kernel file: a C identifier, and no system library's."""
    name = re.sub(r"\W", "_", kernel.stem, flags=re.ASCII)
    if not name or name[0].isdigit() or name in _SYSTEM_LIBRARIES:
        name = f"kernel_{name}"
    return name


class ExportDirectory:
    """A directory for a library and what goes with it.

    It is made beside its place and then moved there. There may be an earlier export of the same name,
    which it replaces, or an empty directory, but nothing else.

    Args:
        path: the directory.
        name: the library's (`library_name`).

    Raises:
        InputError: there is something else, or the directory could not be made.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self._target = Path(os.path.realpath(path))
        names = (
            f"{name}.o",
            f"lib{name}.a",
            f"lib{name}.so",
            f"{name}.h",
            f"{name}-config.cmake",
            f"{name}.pc",
        )
        self.files = tuple(path / file for file in names)
        self._refuse_others()
        with self._guarded():
            self._beside().rmdir()

    def write(self, compiled: Compiled, source: str, processor: str) -> None:
        """Fill it with an object and its libraries, header and packages, or leave what was there.

        `source` says what it was made of and `processor` what it runs on, for people. Raises InputError.
        """
        with self._guarded():
            made = self._beside()
            try:
                self._fill(made, compiled, source, processor)
                self._refuse_others()
                self._move(made)
            finally:
                shutil.rmtree(made, ignore_errors=True)

    def _fill(self, made: Path, compiled: Compiled, source: str, processor: str) -> None:
        name = self.name
        (made / f"{name}.o").write_bytes(compiled.object)
        archive(compiled.object, f"{name}.o", made / f"lib{name}.a")
        link_shared(compiled.object, made / f"lib{name}.so", f"lib{name}.so")
        linked, openmp = libraries(compiled.object), runtime(compiled.object)
        texts = {
            f"{name}.h": c_header(name, compiled.functions, source, processor),
            f"{name}-config.cmake": cmake_config(name, linked, openmp),
            f"{name}.pc": pkg_config(name, source, __version__, linked, runtime_flags(openmp)),
        }
        for file, text in texts.items():
            (made / file).write_text(text, encoding="utf-8")
        # Of temporary files and directories only the owner may read any.
        mask = umask()
        made.chmod(0o777 & ~mask)
        for path in made.iterdir():
            path.chmod((0o777 if path.suffix == ".so" else 0o666) & ~mask)

    def _move(self, made: Path) -> None:
        if not self._target.exists():
            made.rename(self._target)
            return
        old = self._beside()
        self._target.rename(old / "old")
        try:
            made.rename(self._target)
        except BaseException:
            (old / "old").rename(self._target)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)

    def _beside(self) -> Path:
        return Path(tempfile.mkdtemp(prefix=".harl-", dir=self._target.parent))

    def _refuse_others(self) -> None:
        with self._guarded():
            if self._target.exists() and not self._target.is_dir():
                raise InputError("this is no directory; name another with -o", Place(str(self.path)))
            held = {file.name for file in self._target.iterdir()} if self._target.exists() else set()
        others = sorted(held - {file.name for file in self.files})
        if others:
            raise InputError(
                f"the directory holds other files ({others[0]}), and an export replaces it as a whole; "
                "name a new one with -o",
                Place(str(self.path)),
            )

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"the export cannot be written here ({reason}); name another directory with -o",
                Place(str(self.path)),
            ) from error
