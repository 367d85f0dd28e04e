// A library for other ops matches nothing: other sizes, other types, another operand transposed, another body.
//
// RUN: %write-library %s --function tuned > %t.lib.mlir
// RUN: %FileCheck %s --check-prefix=LIBRARY < %t.lib.mlir
// RUN: %mlir-opt %s --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   > %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %s --library %t.lib.mlir | %FileCheck %s

// LIBRARY: harl.label = "matmul 64x64x64 f32"
// LIBRARY: harl.label = "generic 64x64 f32"

#map = affine_map<(d0, d1) -> (d0, d1)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#bt = affine_map<(d0, d1, d2) -> (d1, d2)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @tuned
// CHECK-NOT: linalg.
// CHECK: return
// REMARK-COUNT-2: remark: matched
// REMARK-NOT: remark: {{matched|restored}}
func.func @tuned(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>) {
  %e = tensor.empty() : tensor<64x64xf32>
  %m = linalg.matmul ins(%x, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%x : tensor<64x64xf32>) -> tensor<64x64xf32>
  %s = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>) {
  ^bb0(%p: f32, %o: f32):
    %q = arith.mulf %p, %p : f32
    %r = arith.addf %q, %p : f32
    linalg.yield %r : f32
  } -> tensor<64x64xf32>
  return %m, %s : tensor<64x64xf32>, tensor<64x64xf32>
}

// CHECK-LABEL: func.func @sizes
// CHECK: linalg.matmul
func.func @sizes(%x: tensor<64x32xf32>, %y: tensor<32x64xf32>, %z: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %m = linalg.matmul ins(%x, %y : tensor<64x32xf32>, tensor<32x64xf32>) outs(%z : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %m : tensor<64x64xf32>
}

// CHECK-LABEL: func.func @types
// CHECK: linalg.matmul
// CHECK: linalg.matmul
func.func @types(%x: tensor<64x64xi32>, %y: tensor<64x64xf64>) -> (tensor<64x64xi32>, tensor<64x64xf64>) {
  %m = linalg.matmul ins(%x, %x : tensor<64x64xi32>, tensor<64x64xi32>) outs(%x : tensor<64x64xi32>) -> tensor<64x64xi32>
  %n = linalg.matmul ins(%y, %y : tensor<64x64xf64>, tensor<64x64xf64>) outs(%y : tensor<64x64xf64>) -> tensor<64x64xf64>
  return %m, %n : tensor<64x64xi32>, tensor<64x64xf64>
}

// CHECK-LABEL: func.func @maps
// CHECK: linalg.matmul
func.func @maps(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %m = linalg.matmul indexing_maps = [#a, #bt, #c]
      ins(%x, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%x : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %m : tensor<64x64xf32>
}

// CHECK-LABEL: func.func @bodies
// CHECK-COUNT-3: linalg.generic
// CHECK: return
func.func @bodies(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>) {
  %e = tensor.empty() : tensor<64x64xf32>
  %m = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<64x64xf32>, tensor<64x64xf32>) outs(%x : tensor<64x64xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    %s = arith.maximumf %o, %r : f32
    linalg.yield %s : f32
  } -> tensor<64x64xf32>
  %s = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>) {
  ^bb0(%p: f32, %o: f32):
    %q = arith.addf %p, %p : f32
    %r = arith.mulf %q, %p : f32
    linalg.yield %r : f32
  } -> tensor<64x64xf32>
  %t = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>) {
  ^bb0(%p: f32, %o: f32):
    %q = arith.mulf %p, %p : f32
    %r = arith.addf %q, %p : f32
    %u = math.exp %r : f32
    linalg.yield %u : f32
  } -> tensor<64x64xf32>
  return %m, %s, %t : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>
}
