"""Kernels around one `linalg.generic`, made from its loops and maps."""

from __future__ import annotations

from dataclasses import dataclass

Row = tuple[tuple[int, int], ...]
"""One result of a map: (loop, coefficient) pairs."""


def plain(*loops: int) -> tuple[Row, ...]:
    """The map whose results are these loops."""
    return tuple(((loop, 1),) for loop in loops)


@dataclass(frozen=True)
class LoopNest:
    """A kernel.

    Attributes:
        dims, kinds: extents of the loops, and `p` or `r` for each.
        inputs: element type and map of each input.
        element: type of the result, whose map is `output`, a list of loops.
        body: ops on `%x0`, `%x1`, ... and `%out` that make `%y`.
        init: value the result is filled with, or None where it is an argument.
        epilogue: ops on `%p` (the result) and `%q` (a row of its last dimension) that make `%y`, or None.
        producers: for each input the ops before it, each the element type that it takes and ops on `%p` (an
            element) and `%q` (one of the argument's rows along its last dimension) that make `%y`, of the
            next one's type or the input's.
    """

    dims: tuple[int, ...]
    kinds: str
    inputs: tuple[tuple[str, tuple[Row, ...]], ...]
    output: tuple[int, ...]
    element: str
    body: str
    init: str | None = None
    epilogue: str | None = None
    producers: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def text(self) -> str:
        """The kernel file."""
        result = _tensor([self.dims[loop] for loop in self.output], self.element)
        types = [self._type(element, rows) for element, rows in self.inputs]
        before, arguments = self._before()
        if self.init is None:
            arguments.append(f"%init: {result}")
            init = ""
        else:
            init = f"""%v = arith.constant {self.init} : {self.element}
  %e = tensor.empty() : {result}
  %init = linalg.fill ins(%v : {self.element}) outs(%e : {result}) -> {result}"""
        end = f"return %r : {result}"
        if self.epilogue is not None:
            arguments.append(f"%bias: {self._bias}")
            end = self._epilogue(result)
        loops = ", ".join(f"d{i}" for i in range(len(self.dims)))
        maps = [_map(loops, rows) for _, rows in self.inputs] + [_map(loops, plain(*self.output))]
        kinds = ", ".join({"p": '"parallel"', "r": '"reduction"'}[kind] for kind in self.kinds)
        block = ", ".join(f"%x{i}: {element}" for i, (element, _) in enumerate(self.inputs))
        inputs = ", ".join(f"%a{i}" for i in range(len(types)))
        return f"""func.func @k({", ".join(arguments)}) -> {result} {{
  {before}{init}
  %r = linalg.generic {{indexing_maps = [{", ".join(maps)}], iterator_types = [{kinds}]}}
    ins({inputs} : {", ".join(types)}) outs(%init : {result}) {{
  ^bb0({block}, %out: {self.element}):
    {self.body}
    linalg.yield %y : {self.element}
  }} -> {result}
  {end}
}}
"""

    def _type(self, element: str, rows: tuple[Row, ...]) -> str:
        return _tensor([1 + sum(c * (self.dims[loop] - 1) for loop, c in row) for row in rows], element)

    def _before(self) -> tuple[str, list[str]]:
        """The producers as text, which end in `%a0`, `%a1`, ..., and the arguments."""
        lines: list[str] = []
        arguments: list[str] = []
        for i, (element, rows) in enumerate(self.inputs):
            steps = self.producers[i] if self.producers else ()
            elements = [*(given for given, _ in steps), element]
            names = [*(f"%g{i}_{n}" for n in range(len(steps))), f"%a{i}"]
            arguments.append(f"{names[0]}: {self._type(elements[0], rows)}")
            last = self._type(element, rows).removeprefix("tensor<").split("x")[-2:-1]
            loops = ", ".join(f"d{n}" for n in range(len(rows)))
            kinds = ", ".join(['"parallel"'] * len(rows))
            for n, (_, body) in enumerate(steps):
                given, made = self._type(elements[n], rows), self._type(elements[n + 1], rows)
                row = f"tensor<{''.join(f'{size}x' for size in last)}{elements[n]}>"
                arguments.append(f"%q{i}_{n}: {row}")
                maps = (
                    f"({loops}) -> ({loops})",
                    f"({loops}) -> (d{len(rows) - 1})",
                    f"({loops}) -> ({loops})",
                )
                lines.append(f"""%e{i}_{n} = tensor.empty() : {made}
  {names[n + 1]} = linalg.generic {{indexing_maps = [{", ".join(f"affine_map<{m}>" for m in maps)}],
      iterator_types = [{kinds}]}} ins({names[n]}, %q{i}_{n} : {given}, {row}) outs(%e{i}_{n} : {made}) {{
  ^bb0(%p: {elements[n]}, %q: {elements[n]}, %o: {elements[n + 1]}):
    {body}
    linalg.yield %y : {elements[n + 1]}
  }} -> {made}
  """)
        return "".join(lines), arguments

    @property
    def _bias(self) -> str:
        return _tensor([self.dims[self.output[-1]]], self.element)

    def _epilogue(self, result: str) -> str:
        rank = len(self.output)
        loops = ", ".join(f"d{i}" for i in range(rank))
        maps = ", ".join(_map(loops, plain(*ranks)) for ranks in (range(rank), [rank - 1], range(rank)))
        kinds = ", ".join(['"parallel"'] * rank)
        return f"""%w = tensor.empty() : {result}
  %s = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
    ins(%r, %bias : {result}, {self._bias}) outs(%w : {result}) {{
  ^bb0(%p: {self.element}, %q: {self.element}, %o: {self.element}):
    {self.epilogue}
    linalg.yield %y : {self.element}
  }} -> {result}
  return %s : {result}"""


def _tensor(shape: list[int], element: str) -> str:
    return f"tensor<{''.join(f'{size}x' for size in shape)}{element}>"


def _map(loops: str, rows: tuple[Row, ...]) -> str:
    terms = (" + ".join(f"d{loop} * {c}" for loop, c in row) or "0" for row in rows)
    return f"affine_map<({loops}) -> ({', '.join(terms)})>"
