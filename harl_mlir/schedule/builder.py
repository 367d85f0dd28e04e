"""A small vocabulary of transform ops in which the sketches' schedules are written.

Every method appends ops at the builder's place and returns handles (`!transform.any_op`). Only ops
and attributes that MLIR 22 and 24 read alike are offered; clean-up is offered on a loop nest only,
because at function level, inside a library's action, it crashes or fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from harl_mlir.frontend.program import ALONE
from harl_mlir.mlir import ir, loop, structured, transform, transform_vector, tune
from harl_mlir.schedule.handles import Handle, Handles, i64

Size: TypeAlias = int | ir.Value

FOLD_SLICES_INTO_TRANSFERS = (
    "tensor.fold_tensor_subset_ops_into_vector_transfers",
    "tensor.merge_consecutive_insert_extract_slice",
    "canonicalization",
)
FOLD_UNIT_DIMS = ("linalg.fold_unit_extent_dims_via_slices", "canonicalization")
# Alone, before any canonicalization: else a reduction by one turns into scalar inserts, 10x slower.
REDUCTIONS_TO_CONTRACTS = ("vector.reduction_to_contract", "vector.transfer_permutation_patterns")


class ScheduleBuilder(Handles):
    """Appends transform ops at the end of `block`.

    With `tunable`, `size()` leaves a selected `transform.tune.knob` behind instead of a number.
    """

    def __init__(self, block: ir.Block, *, tunable: bool = False) -> None:
        super().__init__(block)
        self._block = block
        self._tunable = tunable
        self._knobs: dict[str, ir.Value] = {}
        self._prefix = ""

    def named(self, prefix: str) -> ScheduleBuilder:
        """A builder at the same place, with `prefix` in front of the names of its knobs."""
        made = ScheduleBuilder(self._block, tunable=self._tunable)
        made._prefix = prefix
        return made

    def size(self, name: str, value: int, options: Sequence[int]) -> Size:
        """The number of a decision: a literal, or the knob that holds it. Equal names share a knob.

        Zero stays a literal: as a parameter it would still count as a loop.
        """
        if not self._tunable or value == 0:
            return value
        if name not in self._knobs:
            knob = tune.KnobOp(
                transform.ParamType.get(ir.IntegerType.get_signless(64)),
                self._prefix + name,
                [int(o) for o in options if o != 0],
                selected=i64(value),
                ip=self._point,
            )
            self._knobs[name] = knob.result
        return self._knobs[name]

    # Structure.

    def generalize(self, op: Handle) -> Handle:
        """Named op -> `linalg.generic`."""
        return self.op("transform.structured.generalize", [op], 1)[0]

    def specialize(self, op: Handle) -> Handle:
        """`linalg.generic` -> the named op that it is."""
        return self.op("transform.structured.specialize", [op], 1)[0]

    def allow_contraction(self, op: Handle) -> None:
        """Let the floating-point adds and multiplies in the body of `op` be fused: `fastmath<contract>`."""
        arithmetic = self.match(op, "arith.addf", "arith.mulf")
        self.mark(arithmetic, "fastmath", ir.Attribute.parse("#arith.fastmath<contract>"))

    def interchange(self, op: Handle, permutation: Sequence[int]) -> Handle:
        """Permute the loops of a `linalg.generic`."""
        return structured.InterchangeOp(
            op, iterator_interchange=list(permutation), ip=self._point
        ).transformed

    def tile(
        self, op: Handle, sizes: Sequence[Size], order: Sequence[int] | None = None
    ) -> tuple[Handle, list[Handle]]:
        """Tile with `scf.for`; size 0 makes no loop. Returns the tiled op and the loops, outermost first.

        `order` lists, outermost first, positions among all the loops of the op.
        """
        loops = _loop_count(sizes)
        if loops == 0:
            return op, []
        tiled = structured.TileUsingForOp(
            [self._any] * loops,
            op,
            sizes=list(sizes),
            interchange=list(order) if order is not None else None,
            ip=self._point,
        )
        return tiled.results[0], list(tiled.results)[1:]

    def shell(self, op: Handle, producers: Sequence[Handle], loop: int = 0) -> tuple[Handle, Handle]:
        """Put `op` and the named producers (nearest first) into an `scf.forall` of one iteration of `loop`.

        The shell is the nest that clean-up is applied to, and what keeps `fuse` inside from pulling
        in producers that are not the task's. The lowering folds it away. Returns the op inside and
        the shell.
        """
        tiled = structured.TileUsingForallOp(op, num_threads=[0] * loop + [1], ip=self._point)
        inner, nest = tiled.results[0], tiled.results[1]
        for producer in producers:
            _, nest = self.fuse_into(producer, nest)
        return inner, nest

    def tile_forall(self, op: Handle, sizes: Sequence[Size]) -> tuple[Handle, Handle]:
        """Tile with one `scf.forall` over all loops of a size that is not 0. Returns the tiled op and it."""
        tiled = structured.TileUsingForallOp(op, tile_sizes=list(sizes), ip=self._point)
        return tiled.results[0], tiled.results[1]

    def run_alone(self, forall: Handle) -> None:
        """Have one thread run an `scf.forall` that is no other's part: else threads would share it."""
        self.tag(forall, ALONE)

    def fuse(
        self, op: Handle, sizes: Sequence[Size], order: Sequence[int] | None = None
    ) -> tuple[Handle, list[Handle]]:
        """Tile and pull every producer into the loops (greedy). Returns the tiled op and the loops."""
        loops = _loop_count(sizes)
        if loops == 0:
            return op, []
        fused = structured.FuseOp(
            [self._any] * loops,
            op,
            tile_sizes=list(sizes),
            tile_interchange=list(order) if order is not None else None,
            ip=self._point,
        )
        return fused.results[0], list(fused.results)[1:]

    def fuse_into(self, producer: Handle, containing_loop: Handle) -> tuple[Handle, Handle]:
        """Pull one named producer into an `scf.forall`. Returns the fused op and the new loop."""
        fused = structured.FuseIntoContainingOp(producer, containing_loop, ip=self._point)
        return fused.results[0], fused.results[1]

    def split(self, op: Handle, dimension: int, at: int) -> tuple[Handle, Handle]:
        """Split one loop at `at`; returns the two parts."""
        both = self.op(
            "transform.structured.split",
            [op],
            1,
            dimension=i64(dimension),
            static_chunk_sizes=i64(at),
        )[0]
        first, second = self.split_handle(both, 2)
        return first, second

    def tile_reduction(self, op: Handle, sizes: Sequence[int]) -> tuple[Handle, Handle, Handle, Handle]:
        """Split one reduction loop into partial accumulators.

        Not for a body that uses its place in that loop: MLIR 22 leaves it that within the tile
        (https://github.com/llvm/llvm-project/pull/188261). Returns the fill of the partial accumulators, the
        partial op, the combining op and the loop.
        """
        made = structured.TileReductionUsingForOp(
            [self._any],
            self._any,
            self._any,
            self._any,
            op,
            reduction_dims=[],
            tile_sizes=list(sizes),
            ip=self._point,
        )
        fill, partial, combining, over = made.results
        return fill, partial, combining, over

    def peel(self, loop_handle: Handle) -> tuple[Handle, Handle]:
        """Peel the last, partial iteration off a loop. Returns the main loop and the rest."""
        as_for = self.cast(loop_handle, "scf.for")
        main, rest = self.op("transform.loop.peel", [as_for], ("scf.for", "scf.for"))
        return self.cast(main), self.cast(rest)

    def pad(
        self,
        op: Handle,
        dims: Sequence[int],
        multiples: Sequence[int],
        copied: Sequence[bool],
        values: Sequence[tuple[str, float]],
    ) -> Handle:
        """Pad loops `dims` of `op` up to `multiples`; operands `copied` get a buffer in any case.

        `values` are the element type and the padding value of each operand. Returns the padded op. The pads
        are the producers of its operands: MLIR's list of them also has those that a kernel itself makes.
        """
        padded = structured.PadOp(
            op,
            pad_to_multiple_of=list(multiples),
            padding_values=ir.ArrayAttr.get([_constant(*value) for value in values]),
            padding_dimensions=ir.ArrayAttr.get([i64(d) for d in dims]),
            nofold_flags=ir.ArrayAttr.get([i64(int(c)) for c in copied]),
            copy_back_op="none",
            ip=self._point,
        )
        return padded.results[0]

    def into_destination(self, pad: Handle) -> Handle:
        """`tensor.pad` -> a copy into an empty tensor. Returns the copy."""
        return self.op("transform.structured.rewrite_in_destination_passing_style", [pad], 1)[0]

    def unroll(self, loop_handle: Handle, factor: int) -> None:
        """Unroll a loop by `factor`."""
        loop.LoopUnrollOp(loop_handle, factor=factor, ip=self._point)

    def vectorize(self, op: Handle, sizes: Sequence[Size] | None = None) -> None:
        """Vectorise one linalg op; with `sizes`, masked to those vector sizes."""
        structured.VectorizeOp(op, vector_sizes=list(sizes) if sizes else None, ip=self._point)

    def hoist_accumulators(self, loop_handle: Handle) -> None:
        """Keep subsets that a reduction loop reads and writes back in registers over the loop."""
        self.op("transform.loop.hoist_loop_invariant_subsets", [loop_handle], 0)

    # Clean-up, on a loop nest only.

    def patterns(self, nest: Handle, names: Sequence[str]) -> None:
        """Apply pattern sets by name (`vector.reduction_to_contract`, `canonicalization`)."""
        apply = transform.ApplyPatternsOp(nest, ip=self._point)
        with ir.InsertionPoint(apply.patterns):
            for name in names:
                ir.Operation.create(f"transform.apply_patterns.{name}")

    def cse(self, nest: Handle) -> None:
        """Common subexpression elimination."""
        self.op("transform.apply_cse", [nest], 0)

    def dce(self, nest: Handle) -> None:
        """Dead code elimination."""
        self.op("transform.apply_dce", [nest], 0)

    def licm(self, nest: Handle) -> None:
        """Loop-invariant code motion out of the loop `nest` itself (not out of the loops inside it)."""
        self.op("transform.apply_licm", [nest], 0)

    def tidy(self, nest: Handle) -> None:
        """Fold slices into vector transfers, canonicalize, CSE."""
        self.patterns(nest, FOLD_SLICES_INTO_TRANSFERS)
        self.cse(nest)

    def lower_transposes(self, nest: Handle, blocks: bool = True) -> None:
        """Transpose by shuffles of registers: `blocks` of 16 x 16 in steps, or anything small at once."""
        apply = transform.ApplyPatternsOp(nest, ip=self._point)
        with ir.InsertionPoint(apply.patterns):
            ir.Operation.create("transform.apply_patterns.vector.transfer_permutation_patterns")
            ways = transform_vector.VectorTransposeLowering
            transform_vector.ApplyLowerTransposePatternsOp(
                lowering_strategy=ways.Shuffle16x16 if blocks else ways.Shuffle1D
            )


def _constant(element: str, value: float) -> ir.Attribute:
    kind = ir.Type.parse(element)
    if isinstance(kind, ir.IntegerType):
        return ir.IntegerAttr.get(kind, int(value))
    return ir.FloatAttr.get(kind, value)


def _loop_count(sizes: Sequence[Size]) -> int:
    """How many loops tiling by `sizes` makes; a knob makes one whatever it says."""
    return sum(1 for size in sizes if not (isinstance(size, int) and size == 0))
