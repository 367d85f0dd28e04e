"""From where a contraction reads its operands: each way is a sketch, as no single step changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harl_mlir.space.decision import Decision, Value, number
from harl_mlir.space.sketches.contraction_choices import Choices
from harl_mlir.space.sketches.contraction_epilogue import EPILOGUE, ON_BLOCKS, epilogue_decision
from harl_mlir.space.sketches.contraction_legality import Legality
from harl_mlir.tasks.task import element_bytes


@dataclass(frozen=True)
class Storage:
    """What `pack` (of the vector operand) and `copy` (of the broadcast operand) may be."""

    suffix: str
    pack: tuple[str, ...]
    copy: tuple[str, ...]


_PACK = "what of the operand along the vectors is copied to lie together: nothing, a tile's panel, a block"
_COPY = "what of the operand that is broadcast is copied to lie together: nothing, a block"

IN_PLACE = Storage("", ("none",), ("none",))
PANELS = Storage("_panels", ("panels",), ("none", "block"))
BLOCKS = Storage("_blocks", ("block", "none"), ("none", "block"))
STORAGES = (IN_PLACE, PANELS, BLOCKS)


@dataclass(frozen=True)
class Stored:
    """The choices of a contraction that reads from one storage."""

    legality: Legality
    storage: Storage
    decisions: tuple[Decision, ...]

    def is_legal(self, values: Mapping[str, Value]) -> bool:
        """Whether the choices allow it; a sketch of blocks has one."""
        if self.storage is BLOCKS and values["pack"] == values["copy"] == "none":
            return False
        return self.legality.is_legal(values)


def storages(choices: Choices) -> list[Stored]:
    """What is open but for `along`, in each storage that suits; the one to try first comes first."""
    decisions = choices.decisions()
    first = PANELS if choices.packs({d.name: d.default for d in decisions}) else IN_PLACE
    ordered = sorted(STORAGES, key=lambda storage: storage is not first)
    legality = Legality(choices)
    found = (_with_legal_defaults(_stored(legality, storage, decisions)) for storage in ordered)
    return [stored for stored in found if stored]


def _stored(legality: Legality, storage: Storage, decisions: tuple[Decision, ...]) -> Stored:
    pack = Decision("pack", storage.pack, storage.pack[0], ordered=False, meaning=_PACK)
    copy = Decision("copy", storage.copy, storage.copy[0], ordered=False, meaning=_COPY)
    after = _after(legality.choices, decisions)
    return Stored(legality, storage, (*decisions[:-1], pack, copy, decisions[-1], *after))


def _after(choices: Choices, decisions: tuple[Decision, ...]) -> tuple[Decision, ...]:
    """Where what follows is computed. Where C starts as an argument, which stays what it is, on tiles."""
    if not (choices.followed and choices.filled):
        return ()
    deep = any(d.name == "depth" and d.default for d in decisions)
    return (epilogue_decision(across=choices.roles.across, deep=deep),)


def _with_legal_defaults(stored: Stored) -> Stored | None:
    """The same with other defaults where its own do not suit the storage; None where none do.

    Panels need an order in which rows share them. A copied block fills up to half the L2 cache.
    """
    decisions = {d.name: d for d in stored.decisions}
    values = {name: d.default for name, d in decisions.items()}
    tried: list[dict[str, Value]] = [{}, *({"order": order} for order in decisions["order"].values)]
    if stored.storage is BLOCKS:
        after: dict[str, Value] = {EPILOGUE: ON_BLOCKS} if EPILOGUE in decisions else {}
        tried = [
            {"width": width, "depth": depth, "pack": pack, "copy": copy, **after}
            for width in decisions["width"].values
            for depth in decisions["depth"].values
            for pack, copy in (("block", "none"), ("none", "block"))
        ]
        tried.sort(key=lambda some: _block_preference(stored.legality.choices, some))
    chosen = next((values | some for some in tried if stored.is_legal(values | some)), None)
    if chosen is None:
        return None
    return replace(stored, decisions=tuple(replace(d, default=chosen[d.name]) for d in stored.decisions))


def _block_preference(choices: Choices, values: Mapping[str, Value]) -> tuple[bool, bool, float]:
    """The vector operand rather than the other; blocks that half the L2 cache holds, the largest of them."""
    steps = number(values["depth"]) or choices.op.dims[choices.roles.inner]
    elements = steps * (number(values["width"]) or choices.vector_extent)
    part = 2 * elements * element_bytes(choices.op.init.element) / choices.processor.l2_bytes
    return values["pack"] == "none", part > 1, part if part > 1 else -part
