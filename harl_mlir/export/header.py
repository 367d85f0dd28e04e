"""The C header of an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harl_mlir.codegen.interface import CFunction, CParameter

C_TYPES: Mapping[str, str] = {
    "f64": "double", "f32": "float", "f16": "uint16_t", "bf16": "uint16_t", "i1": "bool", "index": "int64_t",
    **{f"{sign}i{bits}": f"int{bits}_t" for sign in ("", "s") for bits in (8, 16, 32, 64)},
    **{f"ui{bits}": f"uint{bits}_t" for bits in (8, 16, 32, 64)},
}  # fmt: skip
_REMARKS: Mapping[str, str] = {
    "f16": "the bits of an IEEE 754 binary16",
    "bf16": "the bits of a bfloat16",
    "i1": "one byte each, 0 or 1",
}
_RULES = """\
 * Every function returns nothing; its results are the parameters marked out. A pointer is to the first
 * element of a tensor; the element of index (i, j, ...) is i * stride of i + j * stride of j + ... elements
 * behind it.
 *   in     is read only.
 *   out    is written whole; what it held before does not matter.
 *   inout  is read and written.
 * What is out or inout must not overlap any other argument; what is in may overlap what is in. A pointer has
 * to be aligned to its elements; the speed is that of pointers aligned to 64 bytes. Functions keep nothing
 * between calls, so several threads may call them at once. Scratch memory, if any, is from malloc, and is
 * freed before they return; where there is none left, they crash.
"""


def c_header(name: str, functions: Sequence[CFunction], source: str, processor: str) -> str:
    """The text of `NAME.h`.

    Args:
        name: of the library, a C identifier.
        functions: what is in it.
        source: what it was made of, for people.
        processor: what it runs on, for people.
    """
    guard = f"HARL_MLIR_{name.upper()}_H"
    parts = [
        f"/* {_in_comment(source)}\n * Runs on {_in_comment(processor)}.\n *\n{_RULES} */",
        f"#ifndef {guard}\n#define {guard}",
        "#include <stdbool.h>\n#include <stdint.h>",
        '#ifdef __cplusplus\nextern "C" {\n#endif',
        *(_declaration(function) for function in functions),
        "#ifdef __cplusplus\n}\n#endif",
        "#endif",
    ]
    return "\n\n".join(parts) + "\n"


def _declaration(function: CFunction) -> str:
    named = f", @{_in_comment(function.name)}" if function.name != function.symbol else ""
    rows = [_row(parameter) for parameter in function.parameters]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = [f"/* {function.symbol}{named}"]
    for row in rows:
        columns = (text.ljust(width) for text, width in zip(row, (*widths, 0), strict=True))
        lines.append(f" *   {'  '.join(columns)}".rstrip())
    return "\n".join(lines) + f" */\n{_prototype(function)}"


def _row(parameter: CParameter) -> tuple[str, str, str, str]:
    """Name, role, shape and the rest."""
    kind = parameter.type
    remarks = [_REMARKS[kind.element]] if kind.element in _REMARKS else []
    if kind.is_scalar:
        return parameter.name, parameter.role, f"{C_TYPES[kind.element]} by value", "; ".join(remarks)
    if parameter.strides:
        remarks.insert(0, f"strides {', '.join(map(str, parameter.strides))}")
    shape = "".join(f"[{size}]" for size in kind.shape) or "[1]"
    return parameter.name, parameter.role, C_TYPES[kind.element] + shape, "; ".join(remarks)


def _prototype(function: CFunction) -> str:
    parameters = [_parameter(parameter) for parameter in function.parameters]
    whole = f"void {function.symbol}({', '.join(parameters) or 'void'});"
    if len(whole) <= 100:
        return whole
    return f"void {function.symbol}(\n    " + ",\n    ".join(parameters) + ");"


def _parameter(parameter: CParameter) -> str:
    element = C_TYPES[parameter.type.element]
    if parameter.type.is_scalar:
        return f"{element} {parameter.name}"
    # `restrict` is a word of C only; these compilers know this one in C++ too.
    return (
        f"const {element} *{parameter.name}"
        if parameter.role == "in"
        else f"{element} *__restrict {parameter.name}"
    )


def _in_comment(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text).replace("*/", "* /")
