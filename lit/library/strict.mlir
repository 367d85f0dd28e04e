// A schedule that is exact: products and sums apart, every sum in the order of the source's loops. The tuned
// function's results are the untuned one's to the bit, whatever lowers them.
//
// RUN: %write-library %s --accuracy strict --set rows=4 --set vector=32 --set unroll=4 > %t.lib.mlir
// RUN: %mlir-opt %s --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   > %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=LIBRARY < %t.lib.mlir
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %s --library %t.lib.mlir | %FileCheck %s
// RUN: %lower %t.tuned.mlir > %t.tuned.llvm.mlir
// RUN: %run %t.tuned.llvm.mlir > %t.tuned.hash
// RUN: %lower %s > %t.untuned.llvm.mlir
// RUN: %run %t.untuned.llvm.mlir > %t.untuned.hash
// RUN: diff %t.tuned.hash %t.untuned.hash
// RUN: %harl-mlir-opt %s --pass-pipeline='harl-default{accuracy=strict library=%t.lib.mlir}' -o %t.default.mlir
// RUN: %run %t.default.mlir > %t.default.hash
// RUN: diff %t.default.hash %t.untuned.hash

// LIBRARY: module attributes
// LIBRARY-SAME: harl.accuracy = "strict"
// LIBRARY-NOT: fastmath

// CHECK-LABEL: func.func @matmul
// CHECK-NOT: linalg.
// CHECK-NOT: vector.contract
// CHECK: scf.for {{.*}} to %c48{{.*}} step %c4{{.*}} -> (vector<32xf32>, vector<32xf32>, vector<32xf32>, vector<32xf32>)
// CHECK-COUNT-16: arith.addf {{.*}} : vector<32xf32>
// CHECK-NOT: fastmath
// CHECK: return
func.func @matmul(%a: tensor<64x48xf32>, %b: tensor<48x96xf32>) -> tensor<64x96xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x96xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x96xf32>) -> tensor<64x96xf32>
  %m = linalg.matmul ins(%a, %b : tensor<64x48xf32>, tensor<48x96xf32>) outs(%f : tensor<64x96xf32>) -> tensor<64x96xf32>
  return %m : tensor<64x96xf32>
}

// Numbers whose products and sums are all rounded.
func.func @number(%i: index, %j: index) -> f32 {
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %c101 = arith.constant 101 : index
  %p = arith.muli %i, %c3 : index
  %q = arith.muli %j, %c5 : index
  %s = arith.addi %p, %q : index
  %r = arith.remui %s, %c101 : index
  %n = arith.index_cast %r : index to i64
  %x = arith.sitofp %n : i64 to f32
  %third = arith.constant 0.3333333 : f32
  %y = arith.mulf %x, %third : f32
  return %y : f32
}

func.func @main() -> i64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c96 = arith.constant 96 : index
  %start = arith.constant 0 : i64
  %factor = arith.constant 31 : i64
  %a = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<64x48xf32>
  %b = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%j, %i) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<48x96xf32>
  %m = func.call @matmul(%a, %b) : (tensor<64x48xf32>, tensor<48x96xf32>) -> tensor<64x96xf32>
  // h = 31 h + the bits of an element.
  %hash = scf.for %i = %c0 to %c64 step %c1 iter_args(%outer = %start) -> (i64) {
    %inner = scf.for %j = %c0 to %c96 step %c1 iter_args(%h = %outer) -> (i64) {
      %x = tensor.extract %m[%i, %j] : tensor<64x96xf32>
      %bits = arith.bitcast %x : f32 to i32
      %n = arith.extui %bits : i32 to i64
      %g = arith.muli %h, %factor : i64
      %s = arith.addi %g, %n : i64
      scf.yield %s : i64
    }
    scf.yield %inner : i64
  }
  return %hash : i64
}
