// Ops without a key in the library are tried with its matchers: a product whose epilogue the library does not know, and
// one in a loop.
// REQUIRES: passes
// RUN: %write-library %S/Inputs/small.mlir > %t.lib.mlir
// RUN: %harl-opt %s --harl-apply-schedules=library=%t.lib.mlir -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %s --library %t.lib.mlir -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir

// REMARK-DAG: mlir:[[#@LINE+17]]:8: remark: matched by @schedule_[[KEY:[0-9a-f]+]] (matmul 8x32x16 f32)
// REMARK-DAG: mlir:[[#@LINE+17]]:8: remark: left as it was: no schedule of this library was applied to it
// REMARK-DAG: mlir:[[#@LINE+36]]:10: remark: matched by @schedule_[[KEY]] (matmul 8x32x16 f32)

#id = affine_map<(i, j) -> (i, j)>
// CHECK-LABEL: func.func @epilogue
// CHECK-NOT: linalg.matmul
// CHECK-NOT: harl.
// CHECK: vector.contract
// CHECK: linalg.generic
// CHECK: linalg.yield
// CHECK-NOT: linalg.
// CHECK: return
func.func @epilogue(%a: tensor<8x16xf32>, %b: tensor<16x32xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>
  %m = linalg.matmul ins(%a, %b : tensor<8x16xf32>, tensor<16x32xf32>) outs(%f : tensor<8x32xf32>) -> tensor<8x32xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%m : tensor<8x32xf32>) outs(%e : tensor<8x32xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.maximumf %x, %zero : f32
    linalg.yield %y : f32
  } -> tensor<8x32xf32>
  return %r : tensor<8x32xf32>
}

// CHECK-LABEL: func.func @in_a_loop
// CHECK: scf.for
// CHECK-NOT: linalg.matmul
// CHECK-NOT: harl.
// CHECK: vector.contract
func.func @in_a_loop(%a: tensor<8x16xf32>, %b: tensor<16x32xf32>, %n: index, %t: tensor<8x32xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %unused = linalg.fill ins(%zero : f32) outs(%t : tensor<8x32xf32>) -> tensor<8x32xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %loop = scf.for %i = %c0 to %n step %c1 iter_args(%d = %t) -> tensor<8x32xf32> {
    %f = linalg.fill ins(%zero : f32) outs(%d : tensor<8x32xf32>) -> tensor<8x32xf32>
    %m = linalg.matmul ins(%a, %b : tensor<8x16xf32>, tensor<16x32xf32>) outs(%f : tensor<8x32xf32>) -> tensor<8x32xf32>
    scf.yield %m : tensor<8x32xf32>
  }
  return %loop : tensor<8x32xf32>
}
