"""Vectors for linalg ops that a schedule marks (`harl.vector`) instead of vectorising them.

So a schedule leaves ops that read or write tensors of i1: a compiler that applies it and has not our
lowering would read and write vectors of i1 as packed bits (`mask_bytes.py`), and makes right loops of them
instead. What follows is what schedules do where they vectorise. `passes/lib/MarkedVectors.cpp` does the same.
"""

from __future__ import annotations

from harl_mlir.frontend.program import VECTOR, all_ops
from harl_mlir.mlir import interpreter, ir

_TIDY = """
    %function{number} = transform.structured.match ops{{["func.func"]}} in %root
      : (!transform.any_op) -> !transform.any_op
    transform.apply_patterns to %function{number} {{
      transform.apply_patterns.tensor.fold_tensor_subset_ops_into_vector_transfers
      transform.apply_patterns.tensor.merge_consecutive_insert_extract_slice
      transform.apply_patterns.canonicalization
    }} : !transform.any_op
    transform.apply_cse to %function{number} : !transform.any_op"""
_SCRIPT = f"""module attributes {{transform.with_named_sequence}} {{
  transform.named_sequence @vectorize_marked(%root: !transform.any_op) {{
    %marked = transform.structured.match attributes {{{VECTOR}}} in %root
      : (!transform.any_op) -> !transform.any_op
    transform.foreach %marked : !transform.any_op {{
    ^bb0(%op: !transform.any_op):
      // One that MLIR cannot vectorise stays as it is.
      transform.sequence %op : !transform.any_op failures(suppress) {{
      ^bb0(%each: !transform.any_op):
        transform.structured.vectorize %each : !transform.any_op
      }}
    }}{_TIDY.format(number=0)}{_TIDY.format(number=1)}
    transform.yield
  }}
}}"""


def vectorise_marked(module: ir.Module) -> int:
    """Vectorise the marked ops of a module on tensors; how many are marked."""
    count = sum(VECTOR in op.attributes for op in all_ops(module.operation))
    if count:
        script = ir.Module.parse(_SCRIPT, module.context)
        interpreter.apply_named_sequence(module, script.body.operations[0], script)
    return count
