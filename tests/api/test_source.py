"""What may be given as a kernel: text or a path, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harl_mlir.api.source import read_source
from harl_mlir.errors import InputError


def test_text_is_text_and_a_path_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "k.mlir"
    file.write_text("module {}")
    assert read_source(file, "kernel").name == str(file)
    assert read_source("module {}", "kernel").name == "kernel"
    assert read_source(file, "kernel").text == read_source("module {}", "kernel").text


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("kernels/my matmul.mlir", "looks like a file's name; give pathlib.Path('kernels/my matmul.mlir')"),
        (" kernel\n", "looks like a file's name; give pathlib.Path('kernel')"),
        (b"module {}", "a kernel is MLIR text or a pathlib.Path, not bytes"),
        (None, "not NoneType; give str(...) of a module"),
        ("module {\ud800}", "kernel: the text holds half a surrogate pair"),
        ("module {\0}", "kernel: the text holds a NUL"),
        ("module {" + " " * (32 << 20) + "}", "kernel: the text has 32 MiB and at most 32 are read"),
        (Path("no-such.mlir"), "no-such.mlir: there is no such file; check the name"),
    ],
)
def test_anything_else_is_refused_with_what_to_give(given: object, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        read_source(given, "kernel")  # type: ignore[arg-type]
    assert sentence in str(refused.value)
