"""Command lines, files and outputs that are wrong, for every command."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NUMBERS = ("", "x", "-1", "1.5", "1e400", "nan", "0x10", "٣٤", "1" * 5000, "--", "\u2212" + "1")
OPTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "--trials": (("tune", "good.mlir"), NUMBERS),
    "--seconds": (("tune", "good.mlir"), ("", "x", "-1", "0", "nan", "inf", "-inf", "1e400", "1,5", "--")),
    "--seed": (("tune", "good.mlir"), ("", "x", "-1", "1.5", "nan", str(2**63))),
    "--threads": (("time", "good.mlir"), ("", "x", "-1", "0", "2", "1.5", "nan")),
    "--shape": (
        ("tune", "good.mlir"),
        ("", "=", "A", "A=", "=8", "A=8x", "A=x8", "A=-8", "A=0", "A=8.5", "A=8,8", f"A={2**70}", "A=nan"),
    ),
    "--agent": (("tune", "good.mlir"), ("", "oracle", "harl,random", "../harl", "HARL")),
    "--accuracy": (("tune", "good.mlir"), ("", "fast", "STRICT", "0")),
    "--weights": (("tune", "good.mlir"), ("", "nowhere", "good.mlir", "/dev/null")),
    "--function": (("tune", "good.mlir"), ("", "nothing", "@", "kernel ", "ker\nnel", "%a")),
    "--target-cpu": (("export", "good.mlir", "-o", "out"), ("", "nothing", "znver99", "-mattr", "x86-64\nx")),
    "--points": (("record-space", "good.mlir", "-o", "s.npz"), ("", "x", "0", "-1", "nan")),
    "--values": (("record-space", "good.mlir", "-o", "s.npz"), ("none.json", "good.mlir", ".", "")),
    "--walks": (("train",), ("x", "0", "-1")),
    "--database": (("train",), ("none.db", "good.mlir", ".", "")),
    "--evaluate": (("train",), ("nothing", "good.mlir", ".")),
    "--kernel": (("explain", "good.mlir"), ("none.mlir", ".", "", "/dev/null")),
    "--db": (("explain", "1"), ("none.db", ".", "", "good.mlir", "good.mlir/x", "/dev/null", "x" * 300)),
}


@pytest.mark.parametrize(
    ("option", "value"), [(name, value) for name, (_, values) in OPTIONS.items() for value in values]
)
def test_options(option: str, value: str, tell: Callable[..., Any]) -> None:
    told = tell(*OPTIONS[option][0], f"{option}={value}")
    assert told.exit_code in (1, 2)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("",),
        ("tuna",),
        ("--trials", "3"),
        ("tune",),
        ("tune", "good.mlir", "good.mlir"),
        ("tune", "good.mlir", "--nothing"),
        ("tune", "good.mlir", "--trials"),
        ("tune", "good.mlir", "--explain"),
        ("tune", "good.mlir", "--agent", "looptune", "--schedule", "good.mlir"),
        ("apply", "good.mlir"),
        ("apply", "--library", "good.mlir"),
        ("export", "good.mlir"),
        ("time",),
        ("explain",),
        ("explain", "1", "2"),
        ("explain", "1", "--kernel", "good.mlir"),
        ("explain", "\u0661"),
        ("explain", "abcdefg"),
        ("explain", "' OR 1=1 --"),
        ("reproduce",),
        ("reproduce", "1"),
        ("reproduce", "-o", "out"),
        ("reproduce", "", "-o", "out"),
        ("reproduce", "-1", "-o", "out"),
        ("reproduce", "good.mlir", "-o", "out"),
        ("record-space", "good.mlir"),
        ("train", "--agent", "random"),
        ("doctor", "good.mlir"),
    ],
)
def test_words(words: tuple[str, ...], tell: Callable[..., Any]) -> None:
    assert tell(*words).exit_code in (1, 2)


READERS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "tune": lambda file: ("tune", file),
    "tune --schedule": lambda file: ("tune", "good.mlir", "--schedule", file),
    "apply": lambda file: ("apply", file, "--library", "good.mlir"),
    "apply --library": lambda file: ("apply", "good.mlir", "--library", file),
    "time": lambda file: ("time", file),
    "export": lambda file: ("export", file, "-o", "out"),
    "explain": lambda file: ("explain", file),
    "record-space": lambda file: ("record-space", file, "-o", "s.npz"),
    "opt": lambda file: ("opt", file),
    "opt --library": lambda file: ("opt", "good.mlir", "--library", file),
}
FILES: dict[str, Callable[[Path], object]] = {
    "none.mlir": lambda path: None,
    "directory.mlir": lambda path: path.mkdir(),
    "fifo.mlir": lambda path: os.mkfifo(path),
    "circle.mlir": lambda path: path.symlink_to(path.name),
    "dangling.mlir": lambda path: path.symlink_to("nowhere.mlir"),
    "null.mlir": lambda path: path.symlink_to("/dev/null"),
    "zero.mlir": lambda path: path.symlink_to("/dev/zero"),
    "good.mlir/inside.mlir": lambda path: None,
    "huge.mlir": lambda path: os.truncate(_touched(path), 40 << 20),
    "n" * 300: lambda path: None,
}


def _touched(path: Path) -> Path:
    path.touch()
    return path


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file", FILES)
def test_files(file: str, reader: str, tell: Callable[..., Any], tmp_path: Path) -> None:
    FILES[file](tmp_path / file)
    told = tell(*READERS[reader](file))
    assert told.exit_code == 1
    assert told.sentence.startswith(file)


WRITERS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "tune -o": lambda out: ("tune", "good.mlir", "--trials", "0", "--agent", "default", "-o", out),
    "tune --library": lambda out: (
        "tune",
        "good.mlir",
        "--trials",
        "0",
        "--agent",
        "default",
        "--library",
        out,
    ),
    "apply": lambda out: ("apply", "good.mlir", "--library", "library.mlir", "-o", out),
    "export": lambda out: ("export", "good.mlir", "-o", out),
    "reproduce": lambda out: ("reproduce", "1", "-o", out, "--db", "m.db"),
    "record-space": lambda out: ("record-space", "good.mlir", "--points", "2", "-o", out),
}
PLACES = (
    "none/out",
    "full",
    "good.mlir/out",
    "taken",
    "circle",
    "",
    "n" * 300,
    "/proc/out",
    "/dev/full",
)


@pytest.mark.parametrize(
    ("writer", "place"),
    # A recording that cannot be written is kept in a journal, after it has been made.
    [(w, p) for w in WRITERS for p in PLACES if w != "record-space" or "full" not in p],
)
def test_outputs(
    place: str, writer: str, tell: Callable[..., Any], library: str, recorded: Path, tmp_path: Path
) -> None:
    (tmp_path / "library.mlir").write_text(library)
    (tmp_path / "m.db").write_bytes(recorded.read_bytes())
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("mine")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "full").symlink_to("/dev/full")
    told = tell(*WRITERS[writer](place), files=writer == "tune -o" and place in ("full", "/dev/full"))
    assert told.exit_code in (1, 2)
    assert (tmp_path / "taken" / "mine").read_text() == "mine"
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["mine"]
