"""Programs of padding, concatenation and slices, at random, of what is given and of what is computed."""

from __future__ import annotations

from random import Random

_Shape = tuple[int, ...]


def random_program(seed: int) -> str:
    """A function of two matrices that returns up to four values made of them."""
    return _Program(Random(seed)).text()


class _Program:
    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._lines = ["%z = arith.constant 0.5 : f32"]
        self._values: dict[str, _Shape] = {"%x": (rng.randint(1, 6), 8), "%y": (rng.randint(2, 6), 8)}
        self._arguments = dict(self._values)

    def text(self) -> str:
        self._double()  # there has to be a linalg op
        for _ in range(self._rng.randint(2, 6)):
            self._rng.choice((self._pad, self._concat, self._insert, self._slice, self._double, self._keep))()
        made = [name for name in self._values if name not in self._arguments]
        returned = self._rng.sample(made, min(len(made), self._rng.randint(1, 4)))
        types = ", ".join(_tensor(self._values[name]) for name in returned)
        arguments = ", ".join(f"{name}: {_tensor(shape)}" for name, shape in self._arguments.items())
        body = "\n  ".join([*self._lines, f"return {', '.join(returned)} : {types}"])
        return f"func.func @f({arguments}) -> ({types}) {{\n  {body}\n}}"

    def _drawn(self) -> tuple[str, _Shape]:
        name = self._rng.choice(list(self._values))
        return name, self._values[name]

    def _add(self, line: str, shape: _Shape) -> str:
        name = f"%v{len(self._lines)}"
        self._lines.append(f"{name} = {line}")
        self._values[name] = shape
        return name

    def _empty(self, shape: _Shape) -> str:
        name = f"%e{len(self._lines)}"
        self._lines.append(f"{name} = tensor.empty() : {_tensor(shape)}")
        return name

    def _pad(self) -> None:
        source, shape = self._drawn()
        low, high = (tuple(self._rng.choice((0, 0, 1, 3, -1)) for _ in shape) for _ in range(2))
        made = tuple(n + a + b for n, a, b in zip(shape, low, high, strict=True))
        if min(made) < 1:
            return
        value, inside = self._rng.choice((("%z", ""), ("%k", "%k = arith.constant 2.0 : f32\n    ")))
        self._add(
            f"tensor.pad {source} low[{low[0]}, {low[1]}] high[{high[0]}, {high[1]}] {{\n"
            f"  ^bb0(%i: index, %j: index):\n    {inside}tensor.yield {value} : f32\n"
            f"  }} : {_tensor(shape)} to {_tensor(made)}",
            made,
        )

    def _concat(self) -> None:
        first, shape = self._drawn()
        alike = [name for name, other in self._values.items() if other[1:] == shape[1:]]
        names = [first, *self._rng.sample(alike, min(2, len(alike)))]
        types = ", ".join(_tensor(self._values[name]) for name in names)
        made = (sum(self._values[name][0] for name in names), shape[1])
        self._add(f"tensor.concat dim(0) {', '.join(names)} : ({types}) -> {_tensor(made)}", made)

    def _insert(self) -> None:
        source, shape = self._drawn()
        whole = tuple(n + self._rng.randint(0, 2) for n in shape)
        places = ", ".join(str(self._rng.randint(0, w - n)) for w, n in zip(whole, shape, strict=True))
        sizes = ", ".join(map(str, shape))
        into = self._empty(whole)
        line = f"tensor.insert_slice {source} into {into}[{places}] [{sizes}] [1, 1]"
        self._add(f"{line} : {_tensor(shape)} into {_tensor(whole)}", whole)

    def _slice(self) -> None:
        source, shape = self._drawn()
        made = tuple(self._rng.randint(1, n) for n in shape)
        places = ", ".join(str(self._rng.randint(0, w - n)) for w, n in zip(shape, made, strict=True))
        line = f"tensor.extract_slice {source}[{places}] [{', '.join(map(str, made))}] [1, 1]"
        self._add(f"{line} : {_tensor(shape)} to {_tensor(made)}", made)

    def _double(self) -> None:
        source, shape = self._drawn()
        kind = _tensor(shape)
        out = self._empty(shape)
        self._add(
            f"linalg.add ins({source}, {source} : {kind}, {kind}) outs({out} : {kind}) -> {kind}", shape
        )

    def _keep(self) -> None:
        source, shape = self._drawn()
        kind, same = _tensor(shape), "affine_map<(i, j) -> (i, j)>"
        ends = f"ins({source} : {kind}) outs({self._empty(shape)} : {kind})"
        facts = f'indexing_maps = [{same}, {same}], iterator_types = ["parallel", "parallel"]'
        ways = (
            f"transpose {ends} permutation = [0, 1]",
            f"broadcast {ends} dimensions = []",
            f"copy {ends} -> {kind}",
            f"generic {{{facts}}} {ends} {{\n  ^bb0(%p: f32, %q: f32):\n"
            f"    linalg.yield %p : f32\n  }} -> {kind}",
        )
        self._add(f"linalg.{self._rng.choice(ways)}", shape)


def _tensor(shape: _Shape) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xf32>"
