// Sums over the rows of a matrix larger than a quarter of the last cache, in whole numbers: eight rows are read side by
// side from their beginnings to their ends, and asked for ahead, while the sums stay where they are.
//
// RUN: cat %s %S/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir > %t.lib.mlir
// RUN: %mlir-opt %t.mlir --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   > %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %t.mlir --library %t.lib.mlir | %FileCheck %s
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='harl-default{library=%t.lib.mlir}' -o %t.default.mlir
// RUN: %run %t.default.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %lower %t.tuned.mlir > %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS

// REMARK-COUNT-1: remark: matched by
// REMARK-NOT: remark:

// CHECK-LABEL: func.func @columns
// CHECK: scf.for {{.*}} step %c16
// CHECK: vector.transfer_write
// CHECK: scf.for {{.*}} to %c2080{{.*}} step %c8
// CHECK: scf.for {{.*}} to %c1040{{.*}} step %c16
// CHECK-COUNT-9: vector.transfer_read {{.*}} vector<16xf32>
// CHECK-NOT: vector.transfer_read
// CHECK: vector.transfer_write {{.*}} vector<16xf32>
// CHECK: {harl.fetched}

func.func @columns(%x: tensor<2080x1040xf32>) -> tensor<1040xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1040xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1040xf32>) -> tensor<1040xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>],
      iterator_types = ["reduction", "parallel"]} ins(%x : tensor<2080x1040xf32>) outs(%f : tensor<1040xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.addf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<1040xf32>
  return %s : tensor<1040xf32>
}

// NUMBERS: {{^}}-5241740970888850439{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %x = tensor.generate {
  ^bb0(%i: index, %j: index):
    %v = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %v : f32
  } : tensor<2080x1040xf32>
  %y = func.call @columns(%x) : (tensor<2080x1040xf32>) -> tensor<1040xf32>
  %m = tensor.expand_shape %y [[0, 1]] output_shape [1, 1040] : tensor<1040xf32> into tensor<1x1040xf32>
  %r = tensor.cast %m : tensor<1x1040xf32> to tensor<?x?xf32>
  %hash = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
