// A schedule written by hand, with three knobs and an alternative left open for the tuner:
//
//   harl-mlir tune examples/scripted.mlir --schedule examples/scripted_schedule.mlir
//
// The tuner selects a value for each knob and a region for the alternative; what it writes is this script
// with its choices made, which `mlir-opt --transform-interpreter` runs as it is.

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %function = transform.structured.match ops{["func.func"]} in %root : (!transform.any_op) -> !transform.any_op
    %matmul = transform.structured.match ops{["linalg.matmul"]} in %root : (!transform.any_op) -> !transform.any_op

    // The register tile: `rows` x `columns` of the result stay in vector registers over the whole of k.
    %rows = transform.tune.knob<"rows"> options = [2, 4, 8] -> !transform.param<i64>
    %columns = transform.tune.knob<"columns"> options = [16, 32, 64] -> !transform.param<i64>
    %tile, %row_loop, %column_loop = transform.structured.fuse %matmul tile_sizes [%rows, %columns]
        : (!transform.any_op, !transform.param<i64>, !transform.param<i64>)
        -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %fill = transform.structured.match ops{["linalg.fill"]} in %column_loop
        : (!transform.any_op) -> !transform.any_op

    // A step of k is an outer product of a column of A and a row of B.
    %depth = transform.tune.knob<"depth"> options = [1, 2, 4] -> !transform.param<i64>
    %step, %k_loop = transform.structured.tile_using_for %tile tile_sizes [0, 0, %depth]
        : (!transform.any_op, !transform.param<i64>) -> (!transform.any_op, !transform.any_op)
    transform.structured.vectorize %step : !transform.any_op
    transform.structured.vectorize %fill : !transform.any_op
    transform.apply_patterns to %function {
      transform.apply_patterns.vector.reduction_to_contract
      transform.apply_patterns.vector.transfer_permutation_patterns
    } : !transform.any_op
    transform.apply_patterns to %function {
      transform.apply_patterns.tensor.fold_tensor_subset_ops_into_vector_transfers
      transform.apply_patterns.canonicalization
    } : !transform.any_op

    // Keep the result's tile in registers, or load and store it at every step.
    transform.tune.alternatives<"accumulator"> {
      transform.apply_licm to %k_loop : !transform.any_op
      transform.loop.hoist_loop_invariant_subsets %k_loop : !transform.any_op
      transform.yield
    }, {
      transform.yield
    }
    transform.yield
  }
}
