"""The documents say what is there: commands, options, rooms and links exist."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

import pytest

from harl_mlir.cli.arguments import _parser
from harl_mlir.search.registry import AGENTS

ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
)


def indented_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.startswith("    ")]


def subcommands() -> dict[str, argparse.ArgumentParser]:
    (action,) = [a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(action.choices)


def test_the_first_two_commands_set_up_and_tune_and_set_up_and_test() -> None:
    first, second = indented_lines((ROOT / "README.md").read_text(encoding="utf-8"))[:2]
    assert first == "scripts/setup && .venv/bin/harl-mlir tune examples/matmul.mlir"
    assert (ROOT / "examples/matmul.mlir").is_file()
    for script in ("scripts/setup", second):
        assert os.access(ROOT / script, os.X_OK)
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == f"exec {second}"


def test_the_readme_names_every_option_of_every_subcommand() -> None:
    usage = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Use")[2].partition("- `tune`")[0]
    common = {"--help", "--debug", "--json", "--function", "--shape"}
    for name, parser in subcommands().items():
        start = usage.index(f"harl-mlir {name} ")
        end = usage.find("harl-mlir ", start + 1)
        words = set(re.findall(r"--[a-z-]+", usage[start : end if end > 0 else None]))
        options = {o for a in parser._actions for o in a.option_strings if o.startswith("--")} - {"--output"}
        assert words <= options
        assert options - common <= words
        if name == "tune":
            assert options - {"--help"} == words


def test_the_readme_names_every_agent() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for agent in AGENTS:
        assert f"`{agent}`" in text


def test_the_architecture_names_every_room_and_no_other() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    package = ROOT / "harl_mlir"
    rooms = {f"harl_mlir/{p.parent.name}/" for p in package.glob("*/__init__.py")}
    rooms |= {f"harl_mlir/{p.name}" for p in package.glob("*.py") if p.name != "__init__.py"}
    named = set(re.findall(r"^\| `(harl_mlir/[\w.]+/?)` \|", text, re.MULTILINE))
    assert named == rooms


def test_every_file_a_document_names_exists() -> None:
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:harl_mlir|tests|examples|scripts|lit)/[\w./]+)`", text):
            assert "NAME" in path or (ROOT / path).exists(), f"{document} names {path}"
        for link in re.findall(r"\]\((?!http)([^)#]+)", text):
            assert ((ROOT / document).parent / link).exists(), f"{document} links to {link}"


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "examples").glob("*.mlir")))
def test_every_example_says_how_to_run_it(name: str) -> None:
    text = (ROOT / "examples" / name).read_text(encoding="utf-8")
    command = re.search(r"^//   harl-mlir (.+)$", text, re.MULTILINE)
    assert command is not None
    assert f"examples/{name}" in command[1]
    for path in re.findall(r"examples/\S+", command[1]):
        assert (ROOT / path).is_file()
