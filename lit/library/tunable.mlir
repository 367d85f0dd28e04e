// With --tunable the sizes stand in the library as selected knobs, and do the same.
//
// RUN: %write-library %s --set rows=8 --set vector=32 --tunable > %t.lib.mlir
// RUN: %FileCheck %s --check-prefix=LIBRARY < %t.lib.mlir
// RUN: %mlir-opt %s --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   2> %t.remarks | %FileCheck %s
// RUN: %harl-mlir-opt %s --library %t.lib.mlir | %FileCheck %s

// LIBRARY-DAG: transform.tune.knob<"rows"> = 8 : i64 from options = [{{.*}}] -> !transform.param<i64>
// LIBRARY-DAG: transform.tune.knob<"vector"> = 32 : i64 from options = [{{.*}}] -> !transform.param<i64>

// CHECK-LABEL: func.func @matmul
// CHECK-NOT: linalg.
// CHECK-DAG: scf.for {{.*}} to %c96{{.*}} step %c32
// CHECK-DAG: scf.for {{.*}} to %c64{{.*}} step %c8
// CHECK: vector<8x32xf32>
// CHECK-NOT: linalg.
// CHECK: return
func.func @matmul(%a: tensor<64x48xf32>, %b: tensor<48x96xf32>) -> tensor<64x96xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x96xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x96xf32>) -> tensor<64x96xf32>
  %m = linalg.matmul ins(%a, %b : tensor<64x48xf32>, tensor<48x96xf32>) outs(%f : tensor<64x96xf32>) -> tensor<64x96xf32>
  return %m : tensor<64x96xf32>
}
