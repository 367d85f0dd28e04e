"""Row operations in spellings that tasks do not have: torch-mlir's, and random ones."""

from __future__ import annotations

from pathlib import Path
from random import Random

TORCH = {
    file.stem: file.read_text(encoding="utf-8")
    for file in sorted((Path(__file__).parent / "torch_rows").glob("*.mlir"))
}


def keepdims(seed: int) -> str:
    """Ops on rows and on what stands once for each row, with or without a dimension of one for it."""
    rng = Random(seed)
    counts, length = rng.choice([((6,), 40), ((1, 5), 33), ((3, 1, 4), 8)]), 0
    counts, length = counts
    full, short = "x".join(map(str, (*counts, length))), "x".join(map(str, counts))
    types = {"full": f"tensor<{full}xf32>", "kept": f"tensor<{short}x1xf32>", "few": f"tensor<{short}xf32>"}
    loops = [f"d{i}" for i in range(len(counts) + 1)]
    rows, all_, outer = loops[:-1], ", ".join(loops), ", ".join(loops[:-1])
    along = {"full": f"({all_})", "kept": f"({', '.join([*rows, '0'])})", "few": f"({outer})"}
    lines = [f"%e_{kind} = tensor.empty() : {type_}" for kind, type_ in types.items()]
    lines += ["%zero = arith.constant 0.0 : f32", "%two = arith.constant 2 : i64"]
    values = {"full": ["%x"], "kept": list[str](), "few": list[str]()}

    def op(kind: str, maps: list[str], dims: str, body: str, *taken: tuple[str, str], last: str) -> None:
        name = f"%v{len(lines)}"
        init = f"%e_{kind}"
        if last == "reduction":
            init = f"%i{len(lines)}"
            lines.append(
                f"{init} = linalg.fill ins(%zero : f32) outs(%e_{kind} : {types[kind]}) -> {types[kind]}"
            )
        kinds = ['"parallel"'] * (dims.count(",")) + [f'"{last}"']
        arguments = "".join(f"%a{i}: f32, " for i in range(len(taken)))
        written = ", ".join(f"affine_map<({dims}) -> {map_}>" for map_ in maps)
        lines.append(
            f"{name} = linalg.generic {{indexing_maps = [{written}], iterator_types = [{', '.join(kinds)}]}}"
            f" ins({', '.join(v for _, v in taken)} : {', '.join(types[k] for k, _ in taken)})"
            f" outs({init} : {types[kind]}) {{\n  ^bb0({arguments}%o: f32):\n    {body}\n"
            f"    linalg.yield %y : f32\n  }} -> {types[kind]}"
        )
        values[kind].append(name)

    def any_of(*kinds: str) -> tuple[str, str]:
        return rng.choice([(kind, value) for kind in kinds for value in values[kind]])

    for step in range(rng.randint(4, 10)):
        choice = rng.choice(("reduce", "along", "along", "each", "reshape")) if step else "reduce"
        if choice == "reduce":
            kind, taken = rng.choice(("kept", "few")), any_of("full")
            power = (
                "%p = math.fpowi %a0, %two : f32, i64" if rng.random() < 0.5 else "%p = math.absf %a0 : f32"
            )
            body = f"{power}\n    %y = arith.addf %p, %o : f32"
            op(kind, [along["full"], along[kind]], all_, body, taken, last="reduction")
        elif choice == "along":
            one, two = any_of("full"), any_of("full", "kept", "few")
            body = rng.choice(("%y = arith.subf %a0, %a1 : f32", "%y = arith.maximumf %a0, %a1 : f32"))
            op("full", [along["full"], along[two[0]], along["full"]], all_, body, one, two, last="parallel")
        elif choice == "each" and (values["kept"] or values["few"]):
            kind, value = any_of("kept", "few")
            dims = all_ if kind == "kept" else outer
            op(kind, [f"({dims})"] * 2, dims, "%y = math.sqrt %a0 : f32", (kind, value), last="parallel")
        elif values["kept"] or values["few"]:
            kind, value = any_of("kept", "few")
            other = "few" if kind == "kept" else "kept"
            groups = [[i] for i in range(len(counts) - 1)] + [[len(counts) - 1, len(counts)]]
            shape = f" output_shape [{short.replace('x', ', ')}, 1]" if other == "kept" else ""
            name = f"%v{len(lines)}"
            verb = "expand" if other == "kept" else "collapse"
            lines.append(
                f"{name} = tensor.{verb}_shape {value} {groups}{shape} : {types[kind]} into {types[other]}"
            )
            values[other].append(name)
    result = max((v for found in values.values() for v in found if v != "%x"), key=_number, default="%x")
    type_ = next(types[kind] for kind, found in values.items() if result in found)
    body = "\n  ".join(lines)
    return f"func.func @f(%x: {types['full']}) -> {type_} {{\n  {body}\n  return {result} : {type_}\n}}\n"


def _number(name: str) -> int:
    return int(name[2:])
