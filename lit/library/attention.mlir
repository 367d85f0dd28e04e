// An attention in whole numbers: scores, differences to their rows' maxima, sums of these, and a product with
// other numbers to which the sums are added, turned round. One task, done a block of rows at a time.
//
// RUN: cat %s %S/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir --set block=16 > %t.lib.mlir
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

// The scores of a block of rows of one batch, never all of them.
// CHECK-LABEL: func.func @attention
// CHECK: scf.forall {{.*}} in (3, 2)
// CHECK-NOT: linalg.
// CHECK-NOT: tensor<2x48x64xf32>
// CHECK: return

#q = affine_map<(b, i, j, k) -> (b, i, k)>
#k = affine_map<(b, i, j, k) -> (b, j, k)>
#v = affine_map<(b, i, j, k) -> (b, k, j)>
#s = affine_map<(b, i, j, k) -> (b, i, j)>
#all = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>
#turned = affine_map<(i, b, j) -> (b, i, j)>
#turned_row = affine_map<(i, b, j) -> (b, i)>
func.func @attention(%q: tensor<2x48x8xf32>, %k: tensor<2x64x8xf32>, %v: tensor<2x64x16xf32>)
    -> tensor<48x2x16xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant -100000.0 : f32
  %es = tensor.empty() : tensor<2x48x64xf32>
  %er = tensor.empty() : tensor<2x48xf32>
  %eo = tensor.empty() : tensor<2x48x16xf32>
  %ey = tensor.empty() : tensor<48x2x16xf32>
  %fs = linalg.fill ins(%zero : f32) outs(%es : tensor<2x48x64xf32>) -> tensor<2x48x64xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : tensor<2x48x8xf32>, tensor<2x64x8xf32>) outs(%fs : tensor<2x48x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.addf %o, %m : f32
    linalg.yield %r : f32
  } -> tensor<2x48x64xf32>
  %fm = linalg.fill ins(%least : f32) outs(%er : tensor<2x48xf32>) -> tensor<2x48xf32>
  %m = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s : tensor<2x48x64xf32>) outs(%fm : tensor<2x48xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<2x48xf32>
  %d = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %m : tensor<2x48x64xf32>, tensor<2x48xf32>) outs(%es : tensor<2x48x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.subf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x48x64xf32>
  %ft = linalg.fill ins(%zero : f32) outs(%er : tensor<2x48xf32>) -> tensor<2x48xf32>
  %t = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%d : tensor<2x48x64xf32>) outs(%ft : tensor<2x48xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<2x48xf32>
  %fo = linalg.fill ins(%zero : f32) outs(%eo : tensor<2x48x16xf32>) -> tensor<2x48x16xf32>
  %o = linalg.generic {indexing_maps = [#q, #v, #s],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%d, %v : tensor<2x48x64xf32>, tensor<2x64x16xf32>) outs(%fo : tensor<2x48x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %n = arith.mulf %a, %b : f32
    %r = arith.addf %c, %n : f32
    linalg.yield %r : f32
  } -> tensor<2x48x16xf32>
  %y = linalg.generic {indexing_maps = [#turned, #turned_row, affine_map<(i, b, j) -> (i, b, j)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%o, %t : tensor<2x48x16xf32>, tensor<2x48xf32>) outs(%ey : tensor<48x2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<48x2x16xf32>
  return %y : tensor<48x2x16xf32>
}

// NUMBERS: {{^}}-7786537892367549799{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %q2 = tensor.generate {
  ^bb0(%i: index, %j: index):
    %n = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %n : f32
  } : tensor<96x8xf32>
  %k2 = tensor.generate {
  ^bb0(%i: index, %j: index):
    %n = func.call @number(%j, %i) : (index, index) -> f32
    tensor.yield %n : f32
  } : tensor<128x8xf32>
  %v2 = tensor.generate {
  ^bb0(%i: index, %j: index):
    %n = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %n : f32
  } : tensor<128x16xf32>
  %q = tensor.expand_shape %q2 [[0, 1], [2]] output_shape [2, 48, 8] : tensor<96x8xf32> into tensor<2x48x8xf32>
  %k = tensor.expand_shape %k2 [[0, 1], [2]] output_shape [2, 64, 8] : tensor<128x8xf32> into tensor<2x64x8xf32>
  %v = tensor.expand_shape %v2 [[0, 1], [2]] output_shape [2, 64, 16] : tensor<128x16xf32> into tensor<2x64x16xf32>
  %y = func.call @attention(%q, %k, %v)
    : (tensor<2x48x8xf32>, tensor<2x64x8xf32>, tensor<2x64x16xf32>) -> tensor<48x2x16xf32>
  %flat = tensor.collapse_shape %y [[0], [1, 2]] : tensor<48x2x16xf32> into tensor<48x32xf32>
  %r = tensor.cast %flat : tensor<48x32xf32> to tensor<?x?xf32>
  %hash = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
