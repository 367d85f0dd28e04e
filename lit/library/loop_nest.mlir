// The schedule of a loop nest: a chain of tilings in the nest's order, what its step does not divide peeled, the
// innermost loops unrolled and a vector, the accumulators in registers over k.
//
// RUN: %write-library %s --nest "0/24 1/32 0/8 2/4 2/1u 0/1u 1/1v" > %t.lib.mlir
// RUN: %FileCheck %s --check-prefix=LIBRARY < %t.lib.mlir
// RUN: %mlir-opt %s --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   2> %t.remarks | %FileCheck %s
// RUN: %harl-mlir-opt %s --library %t.lib.mlir | %FileCheck %s

// LIBRARY: harl.sketch = "loop_nest
// LIBRARY: transform.structured.fuse {{.*}} tile_sizes [24, 0, 0]
// LIBRARY: transform.loop.peel
// LIBRARY: transform.structured.fuse {{.*}} tile_sizes [0, 32, 0] interchange [1, 0, 2]
// LIBRARY: transform.structured.fuse {{.*}} tile_sizes [8, 0, 0]
// LIBRARY: transform.structured.tile_using_for {{.*}} tile_sizes [0, 0, 4]
// LIBRARY: transform.structured.tile_using_for {{.*}} tile_sizes [1, 0, 1] interchange = [2, 0, 1]
// LIBRARY: transform.structured.vectorize
// LIBRARY: transform.loop.unroll {{.*}} {factor = 8 : i64}
// LIBRARY: transform.loop.hoist_loop_invariant_subsets
// LIBRARY: transform.loop.unroll {{.*}} {factor = 4 : i64}

// CHECK-LABEL: func.func @matmul
// CHECK-NOT: linalg.
// CHECK: scf.for {{.*}} to %c48{{.*}} step %c24
// CHECK: scf.for {{.*}} to %c96{{.*}} step %c32
// CHECK: scf.for {{.*}} to %c24{{.*}} step %c8
// CHECK: scf.for {{.*}} to %c48{{.*}} step %c4{{.*}} -> (vector<32xf32>, vector<32xf32>, vector<32xf32>, vector<32xf32>, vector<32xf32>, vector<32xf32>, vector<32xf32>, vector<32xf32>)
// CHECK-COUNT-32: arith.addf {{.*}} : vector<32xf32>
// CHECK: scf.yield
// The sixteen rows that are left over.
// CHECK: scf.for {{.*}} to %c96{{.*}} step %c32
// CHECK: scf.for {{.*}} to %c16{{.*}} step %c8
// CHECK: scf.for {{.*}} to %c48{{.*}} step %c4
// CHECK-COUNT-32: arith.addf {{.*}} : vector<32xf32>
// CHECK-NOT: linalg.
// CHECK: return
func.func @matmul(%a: tensor<64x48xf32>, %b: tensor<48x96xf32>) -> tensor<64x96xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x96xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x96xf32>) -> tensor<64x96xf32>
  %m = linalg.matmul ins(%a, %b : tensor<64x48xf32>, tensor<48x96xf32>) outs(%f : tensor<64x96xf32>) -> tensor<64x96xf32>
  return %m : tensor<64x96xf32>
}
