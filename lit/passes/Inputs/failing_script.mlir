module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
    %none = transform.structured.match ops{["linalg.matmul"]} in %module : (!transform.any_op) -> !transform.any_op
    %one = transform.split_handle %none {pass_through_empty_handle = false} : (!transform.any_op) -> !transform.any_op
    transform.yield
  }
}
