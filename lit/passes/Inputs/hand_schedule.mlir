// A schedule as people write them: sizes are knobs, one variant of two is selected, and the steps are sequences of their own.
module attributes {transform.with_named_sequence} {
  transform.named_sequence @tile_and_vectorize(%op: !transform.any_op {transform.consumed}, %rows: !transform.param<i64> {transform.readonly}, %columns: !transform.param<i64> {transform.readonly}) {
    %tiled, %loops:2 = transform.structured.tile_using_for %op tile_sizes [%rows, %columns] : (!transform.any_op, !transform.param<i64>, !transform.param<i64>) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %inner, %loop = transform.structured.tile_using_for %tiled tile_sizes [0, 0, 4] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.structured.vectorize %inner : !transform.any_op
    transform.yield
  }

  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %matmul = transform.structured.match ops{["linalg.matmul"]} in %module : (!transform.any_op) -> !transform.any_op
    %rows = transform.tune.knob<"rows"> = 4 : i64 from options = [2 : i64, 4 : i64, 8 : i64] -> !transform.param<i64>
    %columns = transform.tune.knob<"columns"> = 16 : i64 from options = [8 : i64, 16 : i64, 32 : i64] -> !transform.param<i64>
    transform.tune.alternatives<"vectorize"> selected_region = 1 {
      transform.yield
    }, {
      transform.include @tile_and_vectorize failures(propagate) (%matmul, %rows, %columns) : (!transform.any_op, !transform.param<i64>, !transform.param<i64>) -> ()
      transform.yield
    }
    %function = transform.structured.match ops{["func.func"]} in %module : (!transform.any_op) -> !transform.any_op
    transform.apply_patterns to %function {
      transform.apply_patterns.vector.reduction_to_contract
      transform.apply_patterns.vector.transfer_permutation_patterns
    } : !transform.any_op
    transform.apply_cse to %function : !transform.any_op
    transform.yield
  }
}
