"""Compiled graphs on disk: `$XDG_CACHE_HOME/harl_mlir/torch/`.

An entry is a file of JSON that names a shared library and its SHA-256. Files are written beside and then
renamed, so that whoever reads sees all of an entry or none. The directory is the user's own (mode 0700);
what is in it is used only if it is a regular file of this user that nobody else may write, and whole.
Anything else counts as no entry, and is replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

import msgspec

from harl_mlir.files import cache_directory
from harl_mlir.integrations.torch.build import Built

FORMAT = 4
"""Raised when the same key comes to stand for another library: when a graph is lowered in another way."""

_MOST_BYTES = 256 << 20


class _Entry(msgspec.Struct, frozen=True):
    format: int
    key: str
    library: str
    sha256: str
    built: Built


class Cache:
    """The entries of one directory.

    Args:
        directory: made where it is missing; None for the user's.

    Raises:
        OSError, HarlError: the directory cannot be made, or is not this user's alone.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or cache_directory() / "torch"
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = self.directory.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise OSError(f"{self.directory} is not a directory of this user")
        if stat.S_IMODE(status.st_mode) & 0o077:
            self.directory.chmod(0o700)

    def get(self, key: str) -> tuple[Built, Path] | None:
        """The entry of a key and its library's file, or None."""
        entry = self._entry(self._path(key))
        if entry is None or entry.key != key or Path(entry.library).name != entry.library:
            return None
        path = self.directory / entry.library
        library = _read(path)
        if library is None or hashlib.sha256(library).hexdigest() != entry.sha256:
            return None
        return entry.built, path

    def all(self) -> list[Built]:
        """What is known of every entry, in the order in which they were made."""
        paths = sorted(self.directory.glob("*.json"), key=lambda path: path.stat().st_mtime)
        entries = [self._entry(path) for path in paths]
        return [entry.built for entry in entries if entry is not None]

    def put(self, key: str, built: Built, library: bytes) -> Path:
        """Keep an entry, in place of any other of this key; its library's file. Raises OSError."""
        digest = hashlib.sha256(library).hexdigest()
        # Named after what is in it: a library that is loaded already is never written to.
        path = self.directory / f"{key[:32]}-{digest[:32]}.so"
        self._write(path, library)
        entry = _Entry(FORMAT, key, path.name, digest, built)
        self._write(self._path(key), msgspec.json.encode(entry))
        return path

    def _entry(self, path: Path) -> _Entry | None:
        data = _read(path)
        if data is None:
            return None
        try:
            entry = msgspec.json.decode(data, type=_Entry)
        except msgspec.MsgspecError:
            return None
        return entry if entry.format == FORMAT else None

    def _path(self, key: str) -> Path:
        return self.directory / f"{key[:32]}.json"

    def _write(self, path: Path, data: bytes) -> None:
        descriptor, name = tempfile.mkstemp(prefix=".harl-", suffix=".tmp", dir=self.directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _read(path: Path) -> bytes | None:
    """A file's bytes if it is this user's alone."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            regular = stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES
            if regular and status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o022:
                return file.read()
    return None
