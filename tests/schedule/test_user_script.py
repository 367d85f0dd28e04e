"""Knobs and alternatives of a user's own script."""

from __future__ import annotations

import pytest

from tests.schedule.transform_jobs import call


def script(body: str) -> str:
    return f"""module attributes {{transform.with_named_sequence}} {{
  transform.named_sequence @__transform_main(%m: !transform.any_op {{transform.readonly}}) {{
    {body}
    transform.yield
  }}
}}
"""


def knob(name: str, options: str, kind: str = "!transform.param<i64>", selected: str = "") -> str:
    return f'transform.tune.knob<"{name}"> {selected} options = {options} -> {kind}\n'


ALTERNATIVES = """transform.tune.alternatives<"NAME"> SELECTED {
      transform.yield
    }, {
      transform.yield
    }
"""
ANY = "!transform.any_param"


def test_knobs_and_alternatives_are_decisions_in_order() -> None:
    body = (
        "%a = " + knob("tile", "[16, 8, 32]")
        + ALTERNATIVES.replace("NAME", "shape").replace("SELECTED", "")
        + "%b = " + knob("word", '["a", "b"]', ANY)
    )  # fmt: skip
    assert call("knobs", script=script(body)) == [
        ["tile", [8, 16, 32], 16, True],
        ["shape", [0, 1], 0, False],
        ["word", ["a", "b"], "a", False],
    ]


def test_options_that_are_no_words_or_numbers_are_their_text() -> None:
    body = "%a = " + knob("any", "[true, 1.5, [1, 0], 3]", ANY)
    assert call("knobs", script=script(body)) == [
        ["any", ["true", "1.500000e+00 : f64", "[1, 0]", 3], "true", False]
    ]


def test_options_that_read_alike_are_told_apart_and_repeated_ones_are_one() -> None:
    body = "%a = " + knob("a", "[8 : i64, 8 : i32]", ANY) + "%b = " + knob("b", "[4, 4, 2]")
    assert call("knobs", script=script(body)) == [
        ["a", ["8 : i64", "8 : i32"], "8 : i64", False],
        ["b", [2, 4], 4, True],
    ]


def test_selecting_gives_a_script_with_nothing_left_open() -> None:
    body = (
        "%a = " + knob("tile", "[16, 8]")
        + "%c = " + knob("tile", "[16, 8]")
        + ALTERNATIVES.replace("NAME", "shape").replace("SELECTED", "")
        + "%b = " + knob("word", '["a", true]', ANY)
    )  # fmt: skip
    text = call("select", script=script(body), values={"tile": 8, "shape": 1, "word": "true"})
    assert text.count('knob<"tile"> = 8 : i64 from options = [16, 8]') == 2
    assert 'alternatives<"shape"> selected_region = 1' in text
    assert 'knob<"word"> = true from options = ["a", true]' in text
    assert call("knobs", script=text) == []


def test_what_is_selected_already_is_kept_and_no_decision() -> None:
    body = (
        "%a = " + knob("tile", "[16, 8]", selected="= 8 from")
        + ALTERNATIVES.replace("NAME", "shape").replace("SELECTED", "selected_region = 1")
        + ALTERNATIVES.replace("NAME", "driven").replace(
            "SELECTED", "selected_region = %a : !transform.param<i64>"
        )
    )  # fmt: skip
    assert call("knobs", script=script(body)) == []
    text = call("select", script=script(body), values={})
    assert 'knob<"tile"> = 8' in text
    assert "selected_region = 1" in text


def test_no_knobs_are_a_space_of_one() -> None:
    assert call("knobs", script=script("")) == []


@pytest.mark.parametrize(
    ("body", "sentence", "line"),
    [
        (
            "%a = " + knob("t", "[1]") + "%b = " + knob("t", "[2]"),
            "names two choices with different options",
            4,
        ),
        (
            "%a = " + knob("t", "[0, 1]") + ALTERNATIVES.replace("NAME", "t").replace("SELECTED", ""),
            "two choices",
            4,
        ),
        ("%a = " + knob("t", "[]"), "has no options", 3),
        ("%a = " + knob("t", "42"), "are no list", 3),
        (
            "%a = " + knob("t", "[1]") + "%b = " + knob("t", "[1]", selected="= 1 from"),
            "select both or neither",
            4,
        ),
        (
            "%a = " + knob("t", "[1]", selected="= 1 from") + "%b = " + knob("t", "[1]"),
            "select both or neither",
            4,
        ),
    ],
)
def test_choices_without_a_meaning_are_refused(body: str, sentence: str, line: int) -> None:
    answer = call("knobs", script=script(body))
    assert sentence in answer["error"]
    assert answer["place"].startswith(f"script.mlir:{line}")


def test_what_is_no_script_is_refused() -> None:
    for text, sentence in (("", "empty"), ("module {", "not valid MLIR"), ("module {}", "@__transform_main")):
        assert sentence in call("knobs", script=text)["error"]


def test_values_that_do_not_fit_are_refused() -> None:
    text = script("%a = " + knob("tile", "[16, 8]"))
    assert 'differ in "tile"' in call("select", script=text, values={})["error"]
    assert 'differ in "other"' in call("select", script=text, values={"tile": 8, "other": 1})["error"]
    assert "has no option 9" in call("select", script=text, values={"tile": 9})["error"]
