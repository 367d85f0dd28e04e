"""What is not compiled runs in eager mode, with one warning that says why; nothing takes the caller down."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from harl_mlir.errors import UsageError
from harl_mlir.integrations.torch import FallbackWarning, Options, backend, compiling
from tests.conftest import ROOT

Function = Callable[[Tensor], Tensor]


def fallen_back(function: Function, x: Tensor, **options: object) -> str:
    """Call a compiled function three times; the one warning there was."""
    compiled = torch.compile(function, backend=backend, options=options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            torch.testing.assert_close(compiled(x), function(x), equal_nan=True)
    messages = [str(w.message) for w in caught if issubclass(w.category, FallbackWarning)]
    assert len(messages) == 1, messages
    return messages[0]


def test_types_that_are_not_supported() -> None:
    message = fallen_back(lambda x: x + 1, torch.randn(3).half())
    assert "torch.float16" in message
    assert "use one of float32" in message


def test_gradients() -> None:
    with torch.enable_grad():
        message = fallen_back(nn.Linear(3, 2), torch.randn(4, 3))
    assert "torch.no_grad()" in message


def test_random_numbers() -> None:
    assert "draws random numbers" in fallen_back(lambda x: x * 0 * torch.bernoulli(x), torch.rand(3))


def test_no_elements() -> None:
    assert "no elements" in fallen_back(lambda x: x * 2, torch.randn(0, 3))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: torch.linalg.inv_ex(x)[0], "does not lower aten.linalg_inv_ex; leave it out"),
        (lambda x: torch.cumsum(x, 0), "tm_tensor.scan has no form in linalg"),
    ],
)
def test_an_operator_that_cannot_be_lowered(function: Function, said: str) -> None:
    message = fallen_back(function, torch.eye(3) * 2)
    assert said in message
    assert "\n" not in message


def test_an_importer_that_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_IMPORTER", "tests.integrations.torch.crashing")
    message = fallen_back(lambda x: x * 3 + 1, torch.randn(5))
    assert "importing it failed (SIGKILL)" in message


def test_an_importer_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_IMPORTER", "tests.integrations.torch.hanging")
    message = fallen_back(lambda x: x * 4 + 1, torch.randn(5), limit=0.5)
    assert "did not end in 0.5 s" in message


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"second": 3}, "no option 'second'; use one of seconds, trials"),
        ({"seconds": -1}, "use a number of seconds above 0"),
        ({"trials": 1.5}, "use a whole number"),
        ({"accuracy": "fast"}, "use one of reassociate, strict"),
        ({"agent": "nobody"}, "nobody"),
        ({"pack": "yes"}, "use True or False"),
        ({"library": 5}, "give the path of a file"),
    ],
)
def test_options_that_are_none(given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Options.of(given)


def test_the_document_names_every_option() -> None:
    text = (ROOT / "docs/pytorch.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {f.name for f in fields(Options)}


def test_a_library_that_is_missing(tmp_path: Path) -> None:
    message = fallen_back(lambda x: x + 2, torch.randn(3), library=str(tmp_path / "none.mlir"))
    assert "none.mlir" in message
