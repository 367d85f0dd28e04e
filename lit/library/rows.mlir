// A row operation like a softmax, in whole numbers: row maxima, distances to them, row sums of those, and both
// together. All of it is one task, with one loop over rows.
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

// CHECK-LABEL: func.func @rows
// CHECK: scf.forall (
// CHECK-NOT: scf.forall (
// CHECK-NOT: linalg.
// CHECK: return

#all = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func @rows(%x: tensor<24x40xf32>) -> tensor<24x40xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant -1000.0 : f32
  %e = tensor.empty() : tensor<24x40xf32>
  %er = tensor.empty() : tensor<24xf32>
  %fm = linalg.fill ins(%least : f32) outs(%er : tensor<24xf32>) -> tensor<24xf32>
  %m = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<24x40xf32>) outs(%fm : tensor<24xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.maximumf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<24xf32>
  %d = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<24x40xf32>, tensor<24xf32>) outs(%e : tensor<24x40xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.subf %p, %q : f32
    %r = math.absf %s : f32
    linalg.yield %r : f32
  } -> tensor<24x40xf32>
  %fs = linalg.fill ins(%zero : f32) outs(%er : tensor<24xf32>) -> tensor<24xf32>
  %s = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%d : tensor<24x40xf32>) outs(%fs : tensor<24xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.addf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<24xf32>
  %y = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%d, %s : tensor<24x40xf32>, tensor<24xf32>) outs(%e : tensor<24x40xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<24x40xf32>
  return %y : tensor<24x40xf32>
}

// NUMBERS: {{^}}2113834746889913352{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %x = tensor.generate {
  ^bb0(%i: index, %j: index):
    %v = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %v : f32
  } : tensor<24x40xf32>
  %y = func.call @rows(%x) : (tensor<24x40xf32>) -> tensor<24x40xf32>
  %r = tensor.cast %y : tensor<24x40xf32> to tensor<?x?xf32>
  %hash = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
