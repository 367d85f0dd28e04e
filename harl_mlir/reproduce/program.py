"""A program that calls a kernel on operands of its own making, checks the results and times it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harl_mlir.measure.approx import is_float
from harl_mlir.reproduce.numbers import NUMBER, Expected
from harl_mlir.tasks.task import Task, TensorType

WRONG_IN_ALL = "wrong numbers in all"
"""How the last line of what the program prints begins."""
ROUNDS = 3
"""Of timing; the best counts."""
_SECONDS_A_ROUND = 0.02
_MOST_CALLS = 2000
_UNKNOWN_RATE = 1e9
"""Operations a second, where no time is known."""

_WRONG = """
  // Whether a number is neither near enough, nor equal, nor, like what it should be, no number.
  func.func private @harl_wrong_f64(%got: f64, %value: f64, %error: f64) -> i64 {
    %apart = arith.subf %got, %value : f64
    %away = math.absf %apart : f64
    %near = arith.cmpf ole, %away, %error : f64
    %same = arith.cmpf oeq, %got, %value : f64
    %got_nan = arith.cmpf uno, %got, %got : f64
    %value_nan = arith.cmpf uno, %value, %value : f64
    %nans = arith.andi %got_nan, %value_nan : i1
    %close = arith.ori %near, %same : i1
    %right = arith.ori %close, %nans : i1
    %true = arith.constant true
    %wrong = arith.xori %right, %true : i1
    %count = arith.extui %wrong : i1 to i64
    return %count : i64
  }
  func.func private @harl_wrong_i64(%got: i64, %value: i64, %error: i64) -> i64 {
    %apart = arith.subi %got, %value : i64
    %away = math.absi %apart : i64
    %wrong = arith.cmpi sgt, %away, %error : i64
    %count = arith.extui %wrong : i1 to i64
    return %count : i64
  }
"""


def program_text(task: Task, expected: Sequence[Expected], seconds: float | None) -> str:
    """A module of `@main`, which prints how many numbers are wrong, and all it calls, `@kernel` declared.

    Args:
        task: whose kernel is called.
        expected: its results.
        seconds: what a call may take, from which follows how many are timed, or None.
    """
    seconds = seconds or max(task.flops, 1) / _UNKNOWN_RATE
    calls = max(1, min(_MOST_CALLS, round(_SECONDS_A_ROUND / seconds)))
    types = [_text(kind) for kind in task.arguments]
    results = [_text(one.kind) for one in expected]
    elements = sorted({kind.element for kind in task.arguments})
    parts = [
        f"  func.func private @kernel({', '.join(types)}) -> ({', '.join(results)})",
        "  func.func private @rtclock() -> f64",
        NUMBER,
        *(_element(element) for element in elements),
        _WRONG,
        *(_check(number, one) for number, one in enumerate(expected)),
        _main(task, expected, calls),
    ]
    return "\n".join(["module {", *parts, "}"]) + "\n"


def _text(kind: TensorType) -> str:
    if kind.is_scalar:
        return kind.element
    return f"tensor<{''.join(f'{size}x' for size in kind.shape)}{kind.element}>"


def _element(element: str) -> str:
    """`@harl_element_TYPE`: what stands at a place of an argument, as `numbers.values_of` has it."""
    if is_float(element):
        made = f"""\
    %k = arith.constant 32 : i64
    %s = arith.subi %r, %k : i64
    %f = arith.sitofp %s : i64 to {element}
    %part = arith.constant 0.015625 : {element}
    %x = arith.mulf %f, %part : {element}"""
    else:
        mask, less = (1, 0) if element == "i1" else (15, 8)
        cast = {"i64": "arith.subi %s, %k : i64", "index": "arith.index_cast %d : i64 to index"}
        made = f"""\
    %mask = arith.constant {mask} : i64
    %k = arith.constant {less} : i64
    %s = arith.andi %r, %mask : i64
    %d = arith.subi %s, %k : i64
    %x = {cast.get(element, f"arith.trunci %d : i64 to {element}")}"""
    return f"""
  func.func private @harl_element_{element}(%place: index, %argument: i64) -> {element} {{
    %r = func.call @harl_number(%place, %argument) : (index, i64) -> i64
{made}
    return %x : {element}
  }}
"""


def _main(task: Task, expected: Sequence[Expected], calls: int) -> str:
    call = _call(task, expected)
    lines = ["%zero = arith.constant 0 : index", "%none = arith.constant 0 : i64"]
    for number, kind in enumerate(task.arguments):
        lines += _argument(number, kind)
    lines.append(f"{_bound('r', len(expected))} = {call}")
    total = "%none"
    for number, one in enumerate(expected):
        result = f"%r#{number}" if len(expected) > 1 else "%r"
        what = f"result {number}: {len(one.places)} elements"
        what += " are compared" if one.total is None else " and the sum of all are compared"
        lines += [
            f"%found{number} = func.call @harl_check{number}({result}) : ({_text(one.kind)}) -> i64",
            f'vector.print str "{what}, wrong are: "',
            f"vector.print %found{number} : i64",
            f"%total{number} = arith.addi {total}, %found{number} : i64",
        ]
        total = f"%total{number}"
    lines += _timing(f"{_bound('again', len(expected))} = {call}", calls)
    lines += [f'vector.print str "{WRONG_IN_ALL}: "', f"vector.print {total} : i64", "return"]
    body = "\n".join(f"    {line}" for line in lines)
    return f"  func.func @main() {{\n{body}\n  }}"


def _bound(name: str, results: int) -> str:
    return f"%{name}:{results}" if results > 1 else f"%{name}"


def _call(task: Task, expected: Sequence[Expected]) -> str:
    given = ", ".join(f"%a{number}" for number in range(len(task.arguments)))
    types = ", ".join(_text(kind) for kind in task.arguments)
    results = ", ".join(_text(one.kind) for one in expected)
    return f"func.call @kernel({given}) : ({types}) -> ({results})"


def _argument(number: int, kind: TensorType) -> list[str]:
    """`%aN`."""
    which = f"%which{number} = arith.constant {number} : i64"
    made = f"func.call @harl_element_{kind.element}(%P, %which{number}) : (index, i64) -> {kind.element}"
    if kind.is_scalar:
        return [which, f"%a{number} = {made.replace('%P', '%zero')}"]
    indices = [f"%i{d}" for d in range(len(kind.shape))]
    places = [f"d{d} * {math.prod(kind.shape[d + 1 :])}" for d in range(len(kind.shape))]
    map_text = (
        f"affine_map<({', '.join(f'd{d}' for d in range(len(indices)))}) -> ({' + '.join(places) or '0'})>"
    )
    return [
        which,
        f"%a{number} = tensor.generate {{",
        f"^bb0({', '.join(f'{i}: index' for i in indices)}):" if indices else "^bb0:",
        f"  %place = affine.apply {map_text}({', '.join(indices)})",
        f"  %x = {made.replace('%P', '%place')}",
        f"  tensor.yield %x : {kind.element}",
        f"}} : {_text(kind)}",
    ]


def _timing(call: str, calls: int) -> list[str]:
    return [
        "%one = arith.constant 1 : index",
        f"%rounds = arith.constant {ROUNDS} : index",
        f"%calls = arith.constant {calls} : index",
        f"%count = arith.constant {calls}.0 : f64",
        "%never = arith.constant 1.0e+30 : f64",
        "%best = scf.for %round = %zero to %rounds step %one iter_args(%least = %never) -> (f64) {",
        "  %begin = func.call @rtclock() : () -> f64",
        "  scf.for %i = %zero to %calls step %one {",
        f"    {call}",
        "  }",
        "  %end = func.call @rtclock() : () -> f64",
        "  %all = arith.subf %end, %begin : f64",
        "  %each = arith.divf %all, %count : f64",
        "  %less = arith.minimumf %least, %each : f64",
        "  scf.yield %less : f64",
        "}",
        f'vector.print str "seconds of one call, the best of {ROUNDS} rounds of {calls}: "',
        "vector.print %best : f64",
    ]


def _check(number: int, one: Expected) -> str:
    """`@harl_checkN`: how many of the numbers compared of a result are wrong; their sum is one more."""
    kind, samples = one.kind, len(one.places)
    wide = "f64" if is_float(kind.element) else "i64"
    size = math.prod(kind.shape)
    flat = f"tensor<{size}x{kind.element}>"
    compared = f"func.call @harl_wrong_{wide}(%got, %value, %error) : ({wide}, {wide}, {wide}) -> i64"
    return f"""
  // The places compared, what stands there, and how far from it the result may be.
  func.func private @harl_check{number}(%result: {_text(kind)}) -> i64 {{
    %places = arith.constant {_dense(one.places, "i64")} : tensor<{samples}xi64>
    %values = arith.constant {_dense(one.values, wide)} : tensor<{samples}x{wide}>
    %errors = arith.constant {_dense(one.errors, wide)} : tensor<{samples}x{wide}>
    {_flattened(kind, flat)}
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %count = arith.constant {samples} : index
    %none = arith.constant 0 : i64
    %wrong = scf.for %i = %zero to %count step %one iter_args(%before = %none) -> (i64) {{
      %number = tensor.extract %places[%i] : tensor<{samples}xi64>
      %place = arith.index_cast %number : i64 to index
      %element = tensor.extract %flat[%place] : {flat}
      {_widened("%got", "%element", kind.element)}
      %value = tensor.extract %values[%i] : tensor<{samples}x{wide}>
      %error = tensor.extract %errors[%i] : tensor<{samples}x{wide}>
      %bad = {compared}
      %after = arith.addi %before, %bad : i64
      scf.yield %after : i64
    }}
{_total(one, size, wide, flat, compared)}
  }}
"""


def _total(one: Expected, size: int, wide: str, flat: str, compared: str) -> str:
    if one.total is None:
        return "    return %wrong : i64"
    add, start = ("arith.addf", "0.0") if wide == "f64" else ("arith.addi", "0")
    return f"""\
    %size = arith.constant {size} : index
    %nothing = arith.constant {start} : {wide}
    %got = scf.for %i = %zero to %size step %one iter_args(%before = %nothing) -> ({wide}) {{
      %element = tensor.extract %flat[%i] : {flat}
      {_widened("%more", "%element", one.kind.element)}
      %after = {add} %before, %more : {wide}
      scf.yield %after : {wide}
    }}
    %value = arith.constant {_literal(one.total, wide)} : {wide}
    %error = arith.constant {_literal(one.total_error, wide)} : {wide}
    %bad = {compared}
    %all = arith.addi %wrong, %bad : i64
    return %all : i64"""


def _flattened(kind: TensorType, flat: str) -> str:
    rank = len(kind.shape)
    if rank == 0:
        return f"%flat = tensor.expand_shape %result [] output_shape [1] : {_text(kind)} into {flat}"
    if rank == 1:
        return f"%flat = tensor.cast %result : {flat} to {flat}"
    groups = ", ".join(map(str, range(rank)))
    return f"%flat = tensor.collapse_shape %result [[{groups}]] : {_text(kind)} into {flat}"


def _widened(made: str, given: str, element: str) -> str:
    """The same number in 64 bits."""
    same = {"f64": f"arith.bitcast {given} : f64 to f64", "i64": f"arith.bitcast {given} : i64 to i64"}
    if element in same:
        return f"{made} = {same[element]}"
    op = {"index": "index_cast", "i1": "extui"}.get(element, "extf" if is_float(element) else "extsi")
    return f"{made} = arith.{op} {given} : {element} to {'f64' if is_float(element) else 'i64'}"


def _dense(numbers: Sequence[float | int], wide: str) -> str:
    return "dense<[" + ", ".join(_literal(number, wide) for number in numbers) + "]>"


def _literal(number: float | int, wide: str) -> str:
    if wide == "i64":
        return str(int(number))
    if math.isnan(number):
        return "0x7FF8000000000000"
    if math.isinf(number):
        return "0x7FF0000000000000" if number > 0 else "0xFFF0000000000000"
    return f"{number:.17e}"
