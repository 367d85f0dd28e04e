"""Reading the user's files and writing outputs: whole or not at all."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from harl_mlir.errors import InputError, Place

STANDARD_INPUT = "<stdin>"
"""Its name in messages."""
MAX_INPUT_BYTES = 32 << 20
"""Larger kernels are refused: text of this size is constants, which no schedule touches."""


def read_mlir(path: Path) -> str:
    """The text of an .mlir file.

    Raises:
        InputError: it is missing, unreadable, no regular file, too large, or not text.
    """
    place = Place(str(path))
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError("this is a directory; name an .mlir file", place)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("this is not a regular file; name an .mlir file", place)
        if status.st_size > MAX_INPUT_BYTES:
            raise InputError(
                f"the file has {status.st_size >> 20} MiB and at most {MAX_INPUT_BYTES >> 20} are read; "
                "move large constants into arguments",
                place,
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such file; check the name", place) from None
    except (OSError, ValueError) as error:
        raise InputError(f"the file cannot be read ({_reason(error)}); check the name", place) from error
    return _decode(data, place)


def read_standard_input() -> str:
    """The MLIR text on stdin; raises as `read_mlir`."""
    place = Place(STANDARD_INPUT)
    try:
        data = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
    except OSError as error:
        raise InputError(f"it cannot be read ({_reason(error)}); name a file", place) from error
    if len(data) > MAX_INPUT_BYTES:
        raise InputError(f"more than {MAX_INPUT_BYTES >> 20} MiB come, and that much is not read", place)
    return _decode(data, place)


def read_bytes(path: Path) -> bytes:
    """What a regular file holds.

    Raises:
        InputError: it is missing, unreadable, or no regular file.
    """
    try:
        if path.exists() and not path.is_file():
            raise InputError("this is not a regular file; check the name", Place(str(path)))
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError("there is no such file; check the name", Place(str(path))) from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"the file cannot be read ({_reason(error)}); check the name", Place(str(path))
        ) from None


def _decode(data: bytes, place: Place) -> str:
    if data.startswith(b"ML\xefR"):
        raise InputError("this is MLIR bytecode; give the text form (`mlir-opt FILE` prints it)", place)
    if b"\0" in data:
        raise InputError("this is a binary file; name a file of MLIR text", place)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            "this is not UTF-8 text; name a file of MLIR text", Place(place.file, line)
        ) from None


class Output:
    """A file that is written last and checked first.

    What is written goes to a temporary file in the same directory, which is then renamed; a symbolic link
    is followed, and a device (`/dev/stdout`) is written to as it is.

    Args:
        path: the file.
        option: the option that named it, for the error's remedy; None where a program did.

    Raises:
        InputError: the file could not be written.
    """

    def __init__(self, path: Path, option: str | None = None) -> None:
        self.path = path
        self._option = option
        self._target = Path(os.path.realpath(path))
        try:
            if self._target.is_symlink():
                raise self._refused("it is a link to itself")
            self._is_device = self._target.exists() and not self._target.is_file()
            if self._target.is_dir():
                raise self._refused("it is a directory")
            if self._target.exists() and not os.access(self._target, os.W_OK):
                raise self._refused("it is read-only")
            if not self._is_device:
                if not self._target.parent.is_dir():
                    raise self._refused(f"the directory {path.parent} does not exist")
                descriptor, probe = self._temporary()
                os.close(descriptor)
                probe.unlink()
        except (OSError, ValueError) as error:
            raise self._refused(_reason(error)) from error

    def write(self, text: str) -> None:
        """Write the whole text, or leave what was there.

        Raises:
            InputError: the disk is full, or the directory has become unwritable.
        """
        self.write_bytes(text.encode("utf-8"))

    def write_bytes(self, data: bytes) -> None:
        """Write the whole of `data`, or leave what was there; raises as `write` does."""
        try:
            if self._is_device:
                self._target.write_bytes(data)
                return
            self._replace(data)
        except OSError as error:
            raise self._refused(_reason(error)) from error

    def _replace(self, data: bytes) -> None:
        descriptor, temporary = self._temporary()
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, self._mode())
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(self._target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _temporary(self) -> tuple[int, Path]:
        descriptor, name = tempfile.mkstemp(prefix=".harl-", suffix=".tmp", dir=self._target.parent)
        return descriptor, Path(name)

    def _mode(self) -> int:
        """The old file's permissions, or what an ordinary new file gets."""
        if self._target.exists():
            return stat.S_IMODE(self._target.stat().st_mode)
        return 0o666 & ~umask()

    def _refused(self, reason: str) -> InputError:
        return InputError(
            f"the output cannot be written: {reason}; name another file"
            + (f" with {self._option}" if self._option else ""),
            Place(str(self.path)),
        )


class OutputDirectory:
    """A directory that is made last and checked first: whole or not at all.

    Args:
        path: the directory, which must not be there yet or be empty.
        option: the option that named it, for the error's remedy.

    Raises:
        InputError: the directory could not be made.
    """

    def __init__(self, path: Path, option: str) -> None:
        self.path = path
        self._option = option
        self._target = Path(os.path.realpath(path))
        try:
            if self._target.is_symlink():
                raise self._refused("it is a link to itself")
            if self._target.exists() and not self._target.is_dir():
                raise self._refused("it is a file")
            if self._target.is_dir() and any(self._target.iterdir()):
                raise self._refused("it is not empty")
            if not self._target.parent.is_dir():
                raise self._refused(f"the directory {path.parent} does not exist")
            self._temporary().rmdir()
        except (OSError, ValueError) as error:
            raise self._refused(_reason(error)) from error

    def write(self, files: Mapping[str, str], programs: Collection[str] = ()) -> tuple[Path, ...]:
        """Write files by their names, those of `programs` executable; gives their paths.

        Raises:
            InputError: the disk is full, or the directory has been made by another meanwhile.
        """
        try:
            temporary = self._temporary()
            try:
                for name, text in files.items():
                    (temporary / name).write_text(text, encoding="utf-8")
                    if name in programs:
                        (temporary / name).chmod(0o777 & ~umask())
                temporary.chmod(0o777 & ~umask())
                temporary.replace(self._target)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        except OSError as error:
            raise self._refused(_reason(error)) from error
        return tuple(self.path / name for name in files)

    def _temporary(self) -> Path:
        return Path(tempfile.mkdtemp(prefix=".harl-", suffix=".tmp", dir=self._target.parent))

    def _refused(self, reason: str) -> InputError:
        return InputError(
            f"the directory cannot be written: {reason}; name another one with {self._option}",
            Place(str(self.path)),
        )


def make_directory(path: Path) -> None:
    """Make a directory for weights, where there is none. Raises InputError if that is refused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"no weights can be written here ({reason}); use another -o", Place(str(path))
        ) from error


def umask() -> int:
    """The permissions that this process keeps from new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def same_file(one: Path, other: Path) -> bool:
    """Whether two names stand for one file, existing or not."""
    return os.path.realpath(one) == os.path.realpath(other)


def default_database() -> Path:
    """`measurements.db` in the user's cache directory, which is created. Raises as `cache_directory` does."""
    return cache_directory() / "measurements.db"


def cache_directory() -> Path:
    """The user's cache directory, which is created: `$XDG_CACHE_HOME/harl_mlir`, or `~/.cache/harl_mlir`.

    Raises:
        InputError: the directory cannot be created.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    except RuntimeError:
        raise InputError(
            "this user has no home directory to keep measurements in; name a file with --db"
        ) from None
    directory = root / "harl_mlir"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the cache directory cannot be created ({_reason(error)}); name a database with --db",
            Place(str(directory)),
        ) from error
    return directory


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
