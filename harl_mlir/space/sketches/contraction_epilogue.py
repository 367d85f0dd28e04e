"""Where the elementwise ops that follow a contraction are computed."""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.space.decision import Decision, Value

EPILOGUE = "epilogue"
"""The decision; contractions that nothing follows, and those that start from an argument, have none."""
ON_BLOCKS = "block"
_ON_TILES = "tile"
_MEANING = "where what follows is computed: on each register tile, or once a block of C is finished"


def epilogue_decision(*, across: bool, deep: bool) -> Decision:
    """On tiles that are still in registers, or on blocks that are in memory: all of C where there are none.

    Default: on tiles. On blocks where tiles lie `across` C, since what is added to them would be read across,
    too, and where the contracted loop is done in blocks (`deep`), between which C is in memory anyway.
    """
    default = ON_BLOCKS if across or deep else _ON_TILES
    return Decision(EPILOGUE, (_ON_TILES, ON_BLOCKS), default, ordered=False, meaning=_MEANING)


def is_on_tiles(values: Mapping[str, Value]) -> bool:
    """Whether what follows a contraction is computed on its register tiles."""
    return values.get(EPILOGUE, _ON_TILES) == _ON_TILES
