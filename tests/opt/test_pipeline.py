"""The text of pass pipelines: what is ours, what is MLIR's, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harl_mlir.errors import UsageError
from harl_mlir.opt.pipeline import OPTIONS, Stage, read_pipeline

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("", ()),
        ("builtin.module()", ()),
        (" any( cse , canonicalize ) ", (Stage("", pipeline="builtin.module(cse,canonicalize)"),)),
        (
            "builtin.module(func.func(a,b{x=1,2 y={3,4}}),harl-default{library='a b.mlir' fail-if-none},cse)",
            (
                Stage("", pipeline="builtin.module(func.func(a,b{x=1,2 y={3,4}}))"),
                Stage("harl-apply-schedules", {"library": "a b.mlir", "fail-if-none": "true"}),
                Stage("harl-lower-to-llvm"),
                Stage("", pipeline="builtin.module(cse)"),
            ),
        ),
        (
            "func.func(cse,harl-copies-to-loops,dce)",
            (
                Stage("", pipeline="builtin.module(func.func(cse))"),
                Stage("harl-copies-to-loops"),
                Stage("", pipeline="builtin.module(func.func(dce))"),
            ),
        ),
        (
            "harl-lower-to-llvm{accuracy=strict},harl-extract-tasks{ output-dir={d} }",
            (
                Stage("harl-lower-to-llvm", {"accuracy": "strict"}),
                Stage("harl-extract-tasks", {"output-dir": "d"}),
            ),
        ),
    ],
)  # fmt: skip
def test_stages(text: str, stages: tuple[Stage, ...]) -> None:
    assert read_pipeline(text) == stages


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("builtin.module(cse", ":1:15: this '(' is not closed"),
        ("cse)", ":1:4: this ')' closes nothing"),
        ("a{b=(})", ":1:6: this '}' closes nothing"),
        ("cse, harl-default{libary=x}", ":1:6: harl-default has no option 'libary'; it has library, "),
        ("harl-annotate-workloads{x}", "harl-annotate-workloads has no option 'x'; it has none"),
        ("harl-default{fail-if-none=maybe}", "fail-if-none cannot be 'maybe'; it is one of true, false"),
        ("harl-default(cse)", "takes options in braces"),
        ("harl-default{='x'}", "cannot read its option \"='x'\""),
    ],
)
def test_refused_with_the_column(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        read_pipeline(text)


def test_what_the_plugin_has_is_here_with_its_options() -> None:
    text = (ROOT / "passes/include/harl/Passes.td").read_text(encoding="utf-8")
    found = re.findall(r':\s*Pass<"([^"]+)"(.*?)^}', text, re.MULTILINE | re.DOTALL)
    assert found
    for name, body in found:
        options = re.findall(r'Option<"\w+", "([\w-]+)"', body)
        assert set(options) == set(OPTIONS[name]), name
