"""Features of candidates that mean the same for every sketch and task, from their loop nests.

`COLUMNS` documents them. "log" is the binary logarithm; amounts that may be nothing are log(1 + amount).
The parts of an op are its vector operands (V: they move along the vectors), broadcast operands (B) and
result (R). The tile is the register tile; the held tile all that is done before another tile of the result
is begun.
"""

from __future__ import annotations

INNER_LOOPS = 5

_TABLE: tuple[tuple[str, str], ...] = (
    # The register tile.
    ("vector", "log of the registers of a vector"),
    ("lanes", "share of the lanes that hold elements, over the whole loop along them"),
    ("rows", "log of the vectors of the tile"),
    ("registers", "registers of the tile, as a share of the processor's"),
    ("pressure", "the same with the vectors that are loaded"),
    ("chains", "log of the share of the arithmetic's speed that waiting for sums leaves"),
    ("unroll", "log of the steps of the innermost loop in its body"),
    ("body", "log of the vector operations in that body"),
    ("inner_left", "share of the innermost loop's steps that unrolling leaves over"),
    ("loads", "log of loads and stores an operation"),
    ("by_rows", "1 where rows are computed one by one"),
    ("stride_v", "log of 1 + elements from lane to lane, in V; of copies where it is copied"),
    ("stride_r", "the same in R"),
    ("step_v", "log of 1 + bytes that the innermost loop moves V"),
    ("step_b", "the same for B"),
    ("apart_b", "log of 1 + bytes between the tile's rows in B"),
    ("page_b", "log of the tile's rows where these are a multiple of a page apart, else 0"),
    # Loops, the innermost first, those of one step left out.
    *(
        (f"{what}_{i}", f"{meaning} {i} from the innermost")
        for i in range(INNER_LOOPS)
        for what, meaning in (
            ("trips", "log of the steps of loop"),
            ("moves_v", "1 where V moves with loop"),
            ("moves_b", "1 where B moves with loop"),
            ("moves_r", "1 where R moves with loop"),
        )
    ),
    ("loops", "number of loops"),
    ("trips", "log of the steps of all loops"),
    ("cut", "share of the work in tiles that are cut short"),
    # Footprints, in the lines of a cache.
    *((f"tile_{part}", f"log of the bytes of {part.upper()} that the tile touches") for part in "vbr"),
    *((f"held_{part}", f"log of the bytes of {part.upper()} that the held tile touches") for part in "vbr"),
    *(
        (f"around_{i}", f"log of the bytes that {i} loops around the held tile touch, against L1")
        for i in range(4)
    ),
    *(
        (f"fits_{cache}", f"share of {cache.upper()} that the level of the nest that fits it fills")
        for cache in ("l1", "l2")
    ),
    *(
        (f"exceeds_{cache}", f"log of what the next level touches against {cache.upper()}")
        for cache in ("l1", "l2")
    ),
    # Traffic: what reuse leaves.
    *(
        (f"loads_{part}", f"log of 1 + loads and stores of {part.upper()} a thousand operations")
        for part in "vbr"
    ),
    *(
        (
            f"{cache}_{part}",
            f"log of 1 + bytes of {part.upper()} brought into {cache.upper()} a thousand operations",
        )
        for cache in ("l1", "l2", "l3")
        for part in "vbr"
    ),
    *(
        (f"reuse_{cache}", f"log of operations a byte brought into {cache.upper()}, at most 20")
        for cache in ("l1", "l2", "l3")
    ),
    # Copies.
    ("packs_v", "1 where V is copied"),
    ("packs_b", "1 where B is copied"),
    ("copied", "log of 1 + bytes copied, or passed through memory once more, a thousand operations"),
    ("turned", "log of 1 + bytes a thousand operations that are transposed once, before all loops"),
    ("copy", "log of 1 + bytes of one copy, against L1"),
    # Rough cycles, as logs of multiples of the fewest possible (all lanes, no waiting).
    (
        "cycles_tile",
        "of the arithmetic: lanes filled, latency hidden, tiles cut short, what is done again",
    ),
    ("cycles_loads", "of loads and stores"),
    ("cycles_caches", "of what moves between caches"),
    ("cycles_copies", "of copies"),
    ("cycles", "of all: the greater of the first two, and the others"),
    # The task.
    ("operations", "log of its vectorisable operations"),
    ("bytes", "log of its bytes"),
    ("intensity", "log of operations a byte"),
    ("points", "log of elements of the result"),
    ("summed", "log of steps that each sums"),
    ("dims", "loops of more than one step"),
    ("windows", "1 where loops share a dimension of an operand"),
    ("element", "log of the bytes of an element of the result"),
    ("members", "ops of the task"),
    *((f"against_{cache}", f"log of its bytes against {cache.upper()}") for cache in ("l1", "l2", "l3")),
)
COLUMNS: tuple[str, ...] = tuple(name for name, _ in _TABLE)
"""The names of the columns, in order."""
WIDTH = len(COLUMNS)
