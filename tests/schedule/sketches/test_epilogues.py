"""What follows a contraction may be computed on its tiles or on blocks of its result: right either way."""

from __future__ import annotations

import pytest

from harl_mlir.measure.pool import Pool
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from tests.schedule.sketches.chain_kernels import ChainKernel
from tests.schedule.sketches.legality import processor_with
from tests.schedule.sketches.loop_nests import LoopNest, plain

_ADD = "%y = arith.addf %a0, %a1 : f32"
_SUM = "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %out, %t : f32"


def _product(sizes: dict[str, int], left: str, right: str, result: str) -> str:
    """A product with a bias, an activation and a residual, each an op of its own."""
    k = ChainKernel(sizes)
    given = k.product(result, k.argument(left), k.argument(right))
    biased = k.op(result, _ADD, [given, k.argument(result[-1])])
    active = k.op(result, "%z = arith.constant 0.0 : f32\n    %y = arith.maximumf %a0, %z : f32", [biased])
    return k.text(k.op(result, _ADD, [active, k.argument(result)]))


def _convolution(filters_last: bool) -> str:
    """Of 9 x 20 places, 18 channels and 40 filters."""
    image = (((0, 1), (3, 1)), ((1, 1), (4, 1)))
    dims = (9, 20, 40, 3, 3, 18)
    places = (*image, ((5, 1),)) if filters_last else (((5, 1),), *image)
    filters = plain(3, 4, 5, 2) if filters_last else plain(2, 5, 3, 4)
    result = (0, 1, 2) if filters_last else (2, 0, 1)
    kinds = "ppprrr"
    return LoopNest(
        dims, kinds, (("f32", places), ("f32", filters)), result, "f32", _SUM, "0.0",
        "%y = arith.subf %p, %q : f32",
    ).text  # fmt: skip


_KERNELS = {
    "product": _product({"m": 64, "n": 96, "k": 64}, "mk", "kn", "mn"),
    "products of a batch": _product({"b": 3, "m": 32, "n": 48, "k": 33}, "bmk", "bkn", "bmn"),
    "convolution, channels last": _convolution(True),
    "convolution, channels first": _convolution(False),
}


@pytest.mark.parametrize("name", _KERNELS)
def test_places(pool: Pool, name: str) -> None:
    (task,) = pool.analyse(_KERNELS[name], "kernel.mlir").tasks
    spaces = sketches_for(task, processor_with(64))
    assert spaces
    seen = set()
    for space in spaces:
        for place in ("tile", "block"):
            for block in _blocks(space, place):
                seen.add(place)
                values = {**space.default().assignment, "epilogue": place, **block}
                measured = pool.measure(task, space.candidate(values))
                assert measured.ok, f"{measured.failure}\n{values}"
    assert seen == {"tile", "block"}


def _blocks(space: Space, place: str) -> list[dict[str, int | str]]:
    """What goes with the place, and is allowed with the space's default: nothing, and blocks of C."""
    decisions = {decision.name: decision for decision in space.decisions}
    offered = [{}, *({name: decisions[name].values[-1]} for name in ("width", "depth"))]
    default = space.default().assignment
    made = [space.candidate({**default, "epilogue": place, **values}) for values in offered]
    legal = [values for values, candidate in zip(offered, made, strict=True) if space.is_legal(candidate)]
    return [values for i, values in enumerate(legal) if values not in legal[:i]]


@pytest.mark.parametrize("name", _KERNELS)
def test_default_place(pool: Pool, name: str) -> None:
    (task,) = pool.analyse(_KERNELS[name], "kernel.mlir").tasks
    for space in sketches_for(task, processor_with(64)):
        values = space.default().assignment
        assert values["epilogue"] == (
            "block" if values["along"] == "across" or values["depth"] else "tile"
        ) or (space.sketch.endswith("_blocks"))


def test_no_choice(pool: Pool) -> None:
    """Where nothing follows, or the result starts as an argument."""
    texts = [
        LoopNest(
            (32, 32, 32),
            "ppr",
            (("f32", plain(0, 2)), ("f32", plain(2, 1))),
            (0, 1),
            "f32",
            _SUM,
            init,
            after,
        )
        for init, after in (("0.0", None), (None, "%y = arith.subf %p, %q : f32"))
    ]
    for text in texts:
        (task,) = pool.analyse(text.text, "kernel.mlir").tasks
        for space in sketches_for(task, processor_with(64)):
            assert "epilogue" not in space.default().assignment


def test_blocks_of_a_vector_times_a_matrix(pool: Pool) -> None:
    """All that is read is copied outside of the loop in which it is looked where C begins."""
    k = ChainKernel({"k": 33, "n": 32})
    made = k.product("n", k.argument("k"), k.argument("kn"))
    text = k.text(k.op("n", "%y = arith.negf %a0 : f32", [made]))
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = (s for s in sketches_for(task, processor_with(64)) if s.sketch == "contraction_blocks")
    values = {"pack": "block", "copy": "none", "depth": 0, "epilogue": "block", "vector": 16}
    candidate = space.candidate({**space.default().assignment, **values})
    assert space.is_legal(candidate)
    assert pool.verify(task, candidate, run=True) is None
