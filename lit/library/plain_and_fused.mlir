// A plain matmul and one of the same shape with bias and ReLU, in one function: each gets its own schedule.
//
// RUN: cat %s %S/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir > %t.lib.mlir
// RUN: %mlir-opt %t.mlir --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   > %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=LIBRARY < %t.lib.mlir
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %t.mlir --library %t.lib.mlir | %FileCheck %s
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='harl-default{library=%t.lib.mlir}' -o %t.default.mlir
// RUN: %run %t.default.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %lower %t.tuned.mlir > %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS

// The group of four ops comes before that of two.
// LIBRARY: transform.named_sequence @schedule_[[FUSED:[0-9a-f]+]]({{.*}}harl.label = "matmul 64x64x64 f32 +2"
// LIBRARY: transform.named_sequence @schedule_[[PLAIN:[0-9a-f]+]]({{.*}}harl.label = "matmul 64x64x64 f32"
// LIBRARY: transform.named_sequence @__transform_main
// LIBRARY-NEXT: transform.include @apply_[[FUSED]]
// LIBRARY-NEXT: transform.include @apply_[[PLAIN]]


// REMARK-NOT: remark: {{restored|left}}
// CHECK-LABEL: func.func @both
// CHECK-NOT: linalg.
// CHECK: return

#map = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>
func.func @both(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>, %bias: tensor<64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x64xf32>) -> tensor<64x64xf32>
  // REMARK-DAG: mlir:[[@LINE+1]]:8: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 64x64x64 f32){{$}}
  %p = linalg.matmul ins(%a, %b : tensor<64x64xf32>, tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) -> tensor<64x64xf32>
  %m = linalg.matmul ins(%b, %a : tensor<64x64xf32>, tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) -> tensor<64x64xf32>
  %s = linalg.generic {indexing_maps = [#map, #row, #map], iterator_types = ["parallel", "parallel"]}
      ins(%m, %bias : tensor<64x64xf32>, tensor<64xf32>) outs(%e : tensor<64x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %z = arith.addf %x, %y : f32
    linalg.yield %z : f32
  } -> tensor<64x64xf32>
  // REMARK-DAG: mlir:[[@LINE+1]]:8: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 64x64x64 f32 +2)
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = arith.maximumf %x, %zero : f32
    linalg.yield %z : f32
  } -> tensor<64x64xf32>
  return %p, %r : tensor<64x64xf32>, tensor<64x64xf32>
}

// NUMBERS: {{^}}2587865878913413425{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %n = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<65x64xf32>
  %a = tensor.extract_slice %n[0, 0] [64, 64] [1, 1] : tensor<65x64xf32> to tensor<64x64xf32>
  %b = tensor.extract_slice %n[1, 0] [64, 64] [1, 1] : tensor<65x64xf32> to tensor<64x64xf32>
  %bias = tensor.extract_slice %n[2, 0] [1, 64] [1, 1] : tensor<65x64xf32> to tensor<64xf32>
  %p, %r = func.call @both(%a, %b, %bias) : (tensor<64x64xf32>, tensor<64x64xf32>, tensor<64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>)
  %p0 = tensor.cast %p : tensor<64x64xf32> to tensor<?x?xf32>
  %r0 = tensor.cast %r : tensor<64x64xf32> to tensor<?x?xf32>
  %h = func.call @hash(%p0, %start) : (tensor<?x?xf32>, i64) -> i64
  %hash = func.call @hash(%r0, %h) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
