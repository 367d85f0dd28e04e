"""Schedule libraries and scripts that are broken or hostile, made the same each time from a good library."""

from __future__ import annotations

import re

_OP = "!transform.any_op"


def script(body: str, more: str = "", argument: str = f"%root: {_OP} {{transform.readonly}}") -> str:
    """A transform module whose entry point does `body`."""
    return f"""\
module attributes {{transform.with_named_sequence}} {{
  {more}
  transform.named_sequence @__transform_main({argument}) {{
    {body}
    transform.yield
  }}
}}
"""


MATCH = f'%m = transform.structured.match ops{{["linalg.matmul"]}} in %root : ({_OP}) -> {_OP}'


def sequence(name: str, body: str) -> str:
    """Another named sequence on one op."""
    return (
        f"  transform.named_sequence @{name}(%op: {_OP} {{transform.consumed}}) {{\n"
        f"    {body}\n    transform.yield\n  }}\n"
    )


SCRIPTS = {
    "no entry point": "module attributes {transform.with_named_sequence} {\n"
    '  "transform.named_sequence"() ({\n'
    f'  ^bb0(%r: {_OP}):\n    "transform.yield"() : () -> ()\n  }}) '
    f'{{function_type = ({_OP}) -> (), sym_name = "another"}} : () -> ()\n}}\n',
    "an entry point of two ops": script("", argument=f"%root: {_OP} {{transform.readonly}}, %o: {_OP}"),
    "an entry point of none": script("", argument=""),
    "an entry point without a body": "module attributes {transform.with_named_sequence} {\n"
    f"  transform.named_sequence private @__transform_main(%root: {_OP} {{transform.readonly}})\n}}\n",
    "no attribute for sequences": script("").replace(" attributes {transform.with_named_sequence}", ""),
    "a sequence that is missing": script(
        f"transform.include @gone failures(propagate) (%root) : ({_OP}) -> ()"
    ),
    "a sequence that includes itself": script(
        f"transform.include @again failures(propagate) (%root) : ({_OP}) -> ()",
        f"transform.named_sequence @again(%r: {_OP} {{transform.readonly}}) {{\n"
        f"    transform.include @again failures(propagate) (%r) : ({_OP}) -> ()\n    transform.yield\n  }}",
    ),
    "sequences that include each other": script(
        f"transform.include @a failures(propagate) (%root) : ({_OP}) -> ()",
        "".join(
            f"transform.named_sequence @{a}(%r: {_OP} {{transform.readonly}}) {{\n"
            f"    transform.include @{b} failures(propagate) (%r) : ({_OP}) -> ()\n"
            "    transform.yield\n  }\n"
            for a, b in ("ab", "ba")
        ),
    ),
    "an unknown transform op": script("transform.structured.enchant %root"),
    "a handle of the wrong type": script(f"{MATCH}\n    %p = transform.structured.vectorize %m : i64"),
    "a parameter for a handle": script(
        f"{MATCH}\n    %n = transform.param.constant 8 : i64 -> !transform.param<i64>\n"
        "    transform.structured.vectorize %n : !transform.param<i64>"
    ),
    "a tile of minus four": script(
        f"{MATCH}\n    %t, %l = transform.structured.fuse %m tile_sizes [-4] : ({_OP}) -> ({_OP}, {_OP})"
    ),
    "more tiles than loops": script(
        f"{MATCH}\n    %t, %l:5 = transform.structured.tile_using_for %m tile_sizes [1, 1, 1, 1, 1]"
        f" : ({_OP}) -> ({', '.join([_OP] * 6)})"
    ),
    "a loop that is none": script(f"{MATCH}\n    transform.loop.unroll %m {{factor = 4}} : {_OP}"),
    "an unroll of nothing": script(f"{MATCH}\n    transform.loop.unroll %m {{factor = 0}} : {_OP}"),
    "a handle used after it is gone": script(
        f"{MATCH}\n    %g = transform.structured.generalize %m : ({_OP}) -> {_OP}\n"
        f"    %h = transform.structured.generalize %m : ({_OP}) -> {_OP}"
    ),
    "a knob that is not selected": script(
        '%k = transform.tune.knob<"tile"> options = [4, 8] -> !transform.param<i64>'
    ),
    "a knob of nothing": script('%k = transform.tune.knob<"tile"> options = [] -> !transform.param<i64>'),
    "an unknown pass": script(
        f'%x = transform.apply_registered_pass "enchant" to %root : ({_OP}) -> {_OP}',
        argument=f"%root: {_OP} {{transform.consumed}}",
    ),
    "a pass with an unknown option": script(
        f'%x = transform.apply_registered_pass "canonicalize" with options = {{"magic" = 1}} to %root '
        f": ({_OP}) -> {_OP}",
        argument=f"%root: {_OP} {{transform.consumed}}",
    ),
    "a match that fails": script(
        f'{MATCH}\n    transform.match.operation_name %m ["linalg.conv_2d"] : {_OP}'
    ),
    "a sequence that yields a handle": script("").replace(
        "transform.yield", f"transform.yield %root : {_OP}"
    ),
    "a function that is erased": script(
        f'%f = transform.structured.match ops{{["func.func"]}} in %root : ({_OP}) -> {_OP}\n'
        "    %z = transform.structured.replace %f {\n    ^bb0:\n      func.func @kernel() {\n"
        f"        return\n      }}\n    }} : ({_OP}) -> {_OP}"
    ),
    "a foreach that hides its failure": script(
        f"transform.foreach %root : {_OP} {{\n    ^bb0(%r: {_OP}):\n"
        f'      transform.match.operation_name %r ["nothing.at_all"] : {_OP}\n    }}'
    ),
    "nested alternatives": script(
        "transform.alternatives %root : "
        + _OP
        + " {\n    ^bb0(%r0: "
        + _OP
        + "):\n"
        + "".join(
            f"    transform.alternatives %r{n} : {_OP} {{\n    ^bb0(%r{n + 1}: {_OP}):\n" for n in range(8)
        )
        + "    }\n" * 9
    ),
    "nested sequences": script(
        "".join(
            f"    transform.sequence %{'root' if not n else f's{n}'} : {_OP} failures(propagate) {{\n"
            f"    ^bb0(%s{n + 1}: {_OP}):\n"
            for n in range(10)
        )
        + "    }\n" * 10
    ),
}
"""What `apply`, `time` and `export` are to refuse, or to say that nothing matched."""


def changed(library: str) -> dict[str, str]:
    """A good library with one thing wrong."""
    key = re.search(r"@schedule_([0-9a-f]{16})", library)
    assert key is not None
    name = key[1]
    start = library.index(f"transform.named_sequence @schedule_{name}")
    body = library.index("{\n", library.index("attributes", start))
    return {
        "of a later version": library.replace("harl.library = 1 ", "harl.library = 99 "),
        "of version minus one": library.replace("harl.library = 1 ", "harl.library = -1 "),
        "of a version that is text": library.replace("harl.library = 1 : i64", 'harl.library = "1"'),
        "without its schedule": library.replace(f"@schedule_{name}(", "@schedule_gone("),
        "without its matcher": library.replace(f"@match_{name}_0(", "@match_gone("),
        "without its entry point": library.replace("@__transform_main", "@main"),
        "with the schedule of another": library.replace(name, "0123456789abcdef")
        .replace("matmul 8x8x8", "nothing")
        .replace("linalg.matmul", "linalg.conv_2d"),
        "cut in half": library[: len(library) // 2],
        "cut in the schedule": library[: body + 40],
        "with a schedule that fails": library[: body + 2]
        + f'    transform.match.operation_name %arg0 ["nothing.at_all"] : {_OP}\n'
        + library[body + 2 :],
        "twice": library + library,
        "with NUL": library.replace("matmul", "mat\0mul", 1),
        "inside a module": "module {\n" + library + "}\n",
    }
