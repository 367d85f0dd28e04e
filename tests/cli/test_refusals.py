"""Every wrong command line and unusable file ends in one sentence and, asked for, in one object."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harl_mlir.cli.main import main

KERNEL = "func.func @f() { return }\n"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a kernel, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "k.mlir").write_text(KERNEL)
    (tmp_path / "library.mlir").write_text("module {}")
    (tmp_path / "binary.mlir").write_bytes(b"\x7fELF\0")
    (tmp_path / "notes.db").write_text("not a database, only notes about one\n" * 40)
    return tmp_path


USAGE = [
    ([], "COMMAND"),
    (["frobnicate"], "invalid choice: 'frobnicate'"),
    (["tune"], "KERNEL.mlir"),
    (["tune", "k.mlir", "--trials", "-4"], "--trials 0 or more"),
    (["tune", "k.mlir", "--trials", "1.5"], "not a whole number"),
    (["tune", "k.mlir", "--seconds", "0"], "--seconds above 0"),
    (["tune", "k.mlir", "--seconds", "-1"], "--seconds above 0"),
    (["tune", "k.mlir", "--seconds", "nan"], "--seconds above 0"),
    (["tune", "k.mlir", "--seconds", "inf"], "--seconds above 0"),
    (["tune", "k.mlir", "--seconds", "soon"], "not a number"),
    (["tune", "k.mlir", "--threads", "9999"], "9999 threads need as many cores, and"),
    (["tune", "k.mlir", "--threads", "0"], "a kernel cannot run on 0 threads; use --threads 1 or more"),
    (["tune", "k.mlir", "--seed", "-1"], "--seed 0 or more"),
    (["tune", "k.mlir", "--agent", "oracle"], "there is no agent named 'oracle'; use --agent with one of"),
    (["tune", "k.mlir", "--agent", "looptune", "--weights", "none"], "looptune cannot walk without weights"),
    (["tune", "k.mlir", "--agent", "looptune", "--schedule", "s.mlir"], "use another --agent"),
    (["tune", "k.mlir", "--explain"], "the agent harl does not walk; use --explain with --agent looptune"),
    (["tune", "k.mlir", "--accuracy", "fast"], "invalid choice: 'fast'"),
    (["tune", "k.mlir", "--shape", "A"], "not a shape such as"),
    (["tune", "k.mlir", "--shape", "A=0x3"], "not a shape such as A=512x512, of sizes from 1 to 2**40"),
    (["tune", "k.mlir", "-o", "k.mlir"], "KERNEL.mlir and -o both name"),
    (["tune", "k.mlir", "-o", "./../" + "{here}/k.mlir"], "KERNEL.mlir and -o both name"),
    (["tune", "k.mlir", "--library", "x.mlir", "-o", "x.mlir"], "--library and -o both name"),
    (["tune", "k.mlir", "--db", "x", "-o", "x"], "-o and --db both name"),
    (["tune", "k.mlir", "--tri", "3"], "unrecognized arguments"),
    (["tune", "k.mlir", "--shape", "A=3x9999999999999"], "not a shape such as"),
    (["tune", ""], "not a file name"),
    (["tune", "no\udcffutf.mlir"], "not a file name in UTF-8"),
    (["apply", "k.mlir"], "--library"),
    (["apply", "k.mlir", "--library", "library.mlir", "-o", "library.mlir"], "--library and -o both name"),
    (["export", "k.mlir"], "-o/--output"),
    (["export", "k.mlir", "-o", "out", "--accuracy", "strict"], "unrecognized arguments"),
    (["time", "k.mlir", "--threads", "0"], "a kernel cannot run on 0 threads; use --threads 1 or more"),
    (["time", "k.mlir", "--accuracy", ""], "invalid choice: ''"),
    (["apply", "k.mlir", "--library", "library.mlir", "--accuracy", "strict"], "unrecognized arguments"),
]
REFUSED = [
    (["tune", "none.mlir"], "none.mlir: there is no such file"),
    (["tune", "."], ".: this is a directory"),
    (["tune", "binary.mlir"], "binary.mlir: this is a binary file"),
    (["tune", "k.mlir", "-o", "none/out.mlir"], "none/out.mlir: the output cannot be written"),
    (["tune", "k.mlir", "--library", "."], ".: the output cannot be written"),
    (["tune", "k.mlir", "--schedule", "none.mlir"], "none.mlir: there is no such file"),
    (["tune", "k.mlir", "--db", "notes.db"], "notes.db: this file is not a SQLite database"),
    (["tune", "k.mlir", "--db", "none/m.db"], "none/m.db: the directory none does not exist"),
    (["tune", "k.mlir", "--db", "."], ".: this is a directory"),
    (["apply", "k.mlir", "--library", "none.mlir"], "none.mlir: there is no such file"),
    (["export", "none.mlir", "-o", "out"], "none.mlir: there is no such file"),
    (["export", "k.mlir", "-o", "."], ".: the directory holds other files (binary.mlir)"),
    (["export", "k.mlir", "-o", "k.mlir"], "k.mlir: this is no directory"),
    (["export", "k.mlir", "-o", "none/out"], "none/out: the export cannot be written here"),
    (["export", "k.mlir", "-o", "out"], "k.mlir: no function holds a linalg op"),
    (["time", "none.mlir"], "none.mlir: there is no such file"),
    (["time", "k.mlir", "--library", "binary.mlir"], "binary.mlir: this is a binary file"),
]


@pytest.mark.parametrize(
    ("words", "sentence", "exit_code"),
    [(*case, 2) for case in USAGE] + [(*case, 1) for case in REFUSED],
)
def test_one_sentence_and_nothing_written(
    words: list[str], sentence: str, exit_code: int, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.replace("{here}", directory.name) for word in words]
    before = sorted(p.name for p in directory.iterdir())

    assert main(words) == exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("harl-mlir: error: ")
    assert said.err.count("\n") == 1
    assert sentence in said.err

    assert main([*words, "--json"]) == exit_code
    printed = json.loads(capsys.readouterr().out)
    assert printed["schema"] == 1
    assert printed["status"] == "error"
    assert printed["error"]["message"] in said.err
    assert sorted(p.name for p in directory.iterdir() if p.name != "cache") == before
    assert (directory / "k.mlir").read_text() == KERNEL


def test_a_traceback_is_shown_only_with_debug(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tune", "none.mlir", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_help_and_version_go_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["tune", "--help"], ["--version"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        assert capsys.readouterr().out
