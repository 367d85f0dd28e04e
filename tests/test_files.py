"""Files are read and written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from harl_mlir.errors import InputError
from harl_mlir.files import MAX_INPUT_BYTES, Output, default_database, read_mlir


def test_text_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "k.mlir"
    path.write_text("module {} // é", encoding="utf-8")
    assert read_mlir(path) == "module {} // é"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x7fELF\0\0", "binary file"),
        (b"ML\xefR\x01\0", "bytecode"),
        (b"module {\n\xff\xfe }", "not UTF-8"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "k.mlir"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as caught:
        read_mlir(path)
    assert caught.value.place is not None
    assert caught.value.place.file == str(path)


def test_missing_directory_device_and_huge_files_are_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge.mlir"
    with huge.open("wb") as file:
        file.truncate(MAX_INPUT_BYTES + 1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, sentence in [
        (tmp_path / "none.mlir", "no such file"),
        (tmp_path, "is a directory"),
        (pipe, "not a regular file"),
        (huge, "at most 32"),
        (huge / "below", "cannot be read"),
        (tmp_path / ("n" * 300), "cannot be read"),
    ]:
        with pytest.raises(InputError, match=sentence):
            read_mlir(path)


def test_an_output_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.mlir"
    Output(path, "-o").write("new")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out.mlir"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_an_output_keeps_permissions_and_follows_links(tmp_path: Path) -> None:
    path, link = tmp_path / "out.mlir", tmp_path / "link.mlir"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    Output(link, "-o").write("new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_checking_an_output_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.mlir"
    path.write_text("old")
    Output(path, "-o")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.mlir"]


def test_a_device_is_written_to_and_stays_a_device() -> None:
    Output(Path(os.devnull), "-o").write("text")
    assert Path(os.devnull).is_char_device()


def test_an_unwritable_output_is_refused_before_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "none" / "out.mlir", tmp_path / "file" / "out.mlir"):
        with pytest.raises(InputError, match="with -o"):
            Output(path, "-o")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.mlir"
    path.write_text("old")
    output = Output(path, "-o")
    with pytest.raises(UnicodeEncodeError):
        output.write("\ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.mlir"]


def test_the_default_database_is_in_the_cache_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_database() == tmp_path / "harl_mlir" / "measurements.db"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_database() == tmp_path / "home" / ".cache" / "harl_mlir" / "measurements.db"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="--db"):
        default_database()


def test_a_user_without_a_home_is_asked_for_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(InputError, match=r"no home directory.*--db"):
        default_database()
