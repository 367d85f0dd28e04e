// A task is found however it is spelled: the library is written from named ops and matches generics, and the reverse.
//
// RUN: %write-library %s --function named > %t.named.mlir
// RUN: %mlir-opt %s --transform-preload-library=transform-library-paths=%t.named.mlir --transform-interpreter \
// RUN:   2> %t.remarks | %FileCheck %s
// RUN: %harl-mlir-opt %s --library %t.named.mlir | %FileCheck %s
// RUN: %write-library %s --function generic > %t.generic.mlir
// RUN: %mlir-opt %s --transform-preload-library=transform-library-paths=%t.generic.mlir --transform-interpreter \
// RUN:   2> %t.remarks | %FileCheck %s
// RUN: %harl-mlir-opt %s --library %t.generic.mlir | %FileCheck %s

#map = affine_map<(d0, d1) -> (d0, d1)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @named
// CHECK-NOT: linalg.
// CHECK: return
func.func @named(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x64xf32>) -> tensor<64x64xf32>
  %m = linalg.matmul ins(%x, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %m : tensor<64x64xf32>
}

// CHECK-LABEL: func.func @generic
// CHECK-NOT: linalg.
// CHECK: return
func.func @generic(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x64xf32>) -> tensor<64x64xf32>
  %m = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    %s = arith.addf %o, %r : f32
    linalg.yield %s : f32
  } -> tensor<64x64xf32>
  return %m : tensor<64x64xf32>
}
