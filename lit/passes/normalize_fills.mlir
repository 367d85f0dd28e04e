// Ops of one task that share a fill, as torch-mlir writes them, get one each: the schedule takes it into its loops
// once for each of them.
//
// REQUIRES: passes
// RUN: %write-library %s > %t.lib.mlir
// RUN: %mlir-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(func.func(harl-normalize), \
// RUN:   transform-preload-library{transform-library-paths=%t.lib.mlir},transform-interpreter)' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-normalize, \
// RUN:   transform-preload-library{transform-library-paths=%t.lib.mlir},transform-interpreter)' | %FileCheck %s

// CHECK-LABEL: func.func @gated
// CHECK-NOT: linalg.
// CHECK: scf.forall
// CHECK-NOT: linalg.
// CHECK: return

#a = affine_map<(i, j, k) -> (i, k)>
#b = affine_map<(i, j, k) -> (j, k)>
#c = affine_map<(i, j, k) -> (i, j)>
#all = affine_map<(i, j) -> (i, j)>

func.func @gated(%x: tensor<6x48xf32>, %y: tensor<10x48xf32>, %z: tensor<10x48xf32>) -> tensor<6x10xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<6x10xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<6x10xf32>) -> tensor<6x10xf32>
  %p = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<6x48xf32>, tensor<10x48xf32>) outs(%f : tensor<6x10xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %m = arith.mulf %u, %v : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<6x10xf32>
  %q = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %z : tensor<6x48xf32>, tensor<10x48xf32>) outs(%f : tensor<6x10xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %m = arith.mulf %u, %v : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<6x10xf32>
  %g = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel"]}
      ins(%p, %q : tensor<6x10xf32>, tensor<6x10xf32>) outs(%e : tensor<6x10xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %r = arith.mulf %u, %v : f32
    linalg.yield %r : f32
  } -> tensor<6x10xf32>
  return %g : tensor<6x10xf32>
}
