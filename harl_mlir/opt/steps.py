"""Steps of the lowering that take nothing but a module, by the names of their passes in C++."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harl_mlir.codegen.bf16_lengths import pad_bf16_vectors
from harl_mlir.codegen.bf16_moves import move_as_bits
from harl_mlir.codegen.buffers import copies_to_loops
from harl_mlir.codegen.first_places import first_places
from harl_mlir.codegen.in_place import compute_in_place
from harl_mlir.codegen.inner_loops import inner_loops_alone
from harl_mlir.codegen.lanes import vectorise_lanes
from harl_mlir.codegen.lowering import expand_bf16, narrow_f64
from harl_mlir.codegen.marked_vectors import vectorise_marked
from harl_mlir.codegen.mask_bytes import move_masks_as_bytes, move_single_masks_as_bytes
from harl_mlir.codegen.online_sums import online_sums
from harl_mlir.codegen.part_writes import keep_part_writes
from harl_mlir.codegen.single_transfers import load_single_numbers
from harl_mlir.codegen.streaming import stream
from harl_mlir.codegen.taking_parts import take_parts
from harl_mlir.codegen.transposed_tiles import transpose_tiles
from harl_mlir.codegen.wide_buffers import widen_buffers
from harl_mlir.mlir import ir

STEPS: Mapping[str, Callable[[ir.Module], object]] = {
    "harl-wide-buffers": widen_buffers,
    "harl-copies-to-loops": copies_to_loops,
    "harl-first-places": first_places,
    "harl-compute-in-place": compute_in_place,
    "harl-online-sums": online_sums,
    "harl-keep-part-writes": keep_part_writes,
    "harl-inner-loops-alone": inner_loops_alone,
    "harl-take-parts": take_parts,
    "harl-expand-bf16": expand_bf16,
    "harl-single-transfers": load_single_numbers,
    "harl-narrow-f64": narrow_f64,
    "harl-move-bf16-as-bits": move_as_bits,
    "harl-move-masks-as-bytes": move_masks_as_bytes,
    "harl-move-single-masks-as-bytes": move_single_masks_as_bytes,
    "harl-pad-bf16-vectors": pad_bf16_vectors,
    "harl-stream-stores": stream,
    "harl-transpose-tiles": transpose_tiles,
    "harl-vectorize-lanes": vectorise_lanes,
    "harl-vectorize-marked": vectorise_marked,
}
