// A library whose schedules do not keep to their tasks.
module attributes {harl.library = 1 : i64, transform.with_named_sequence} {
  // Replaces the op that takes the product.
  transform.named_sequence @schedule_7bc61777318d7e93(%root: !transform.any_op {transform.consumed}) attributes {harl.label = "the product"} {
    %consumer = transform.get_consumers_of_result %root[0] : (!transform.any_op) -> !transform.any_op
    %generic = transform.structured.generalize %consumer : (!transform.any_op) -> !transform.any_op
    %tiled, %loops:2 = transform.structured.tile_using_for %root tile_sizes [4, 16, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
  transform.named_sequence @schedule_6726cd55f65292ad(%root: !transform.any_op {transform.consumed}) attributes {harl.label = "the transpose"} {
    %tiled, %loops:2 = transform.structured.tile_using_for %root tile_sizes [2, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
  // Takes the op that takes the product, and itself, into that op's loops.
  transform.named_sequence @schedule_174a3a62dc662107(%root: !transform.any_op {transform.consumed}) attributes {harl.label = "the product of integers"} {
    %consumer = transform.get_consumers_of_result %root[0] : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %consumer tile_sizes [8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %fused, %around = transform.structured.fuse_into_containing_op %root into %loop : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
  transform.named_sequence @schedule_699fe98e5056961e(%root: !transform.any_op {transform.consumed}) attributes {harl.label = "the transpose of integers"} {
    %tiled, %loops:2 = transform.structured.tile_using_for %root tile_sizes [2, 8] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
  // Leaves what is no valid IR: an attribute that linalg does not know.
  transform.named_sequence @schedule_38b07f80f876a3dd(%root: !transform.any_op {transform.readonly}) attributes {harl.label = "the product that is spoilt"} {
    transform.annotate %root "linalg.spoilt" : !transform.any_op
    transform.yield
  }
}
