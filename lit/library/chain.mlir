// Three tasks in a chain: matmul with ReLU, a matmul that takes its result, an elementwise op that takes that twice.
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

// REMARK-DAG: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 32x64x64 f32 +1)
// REMARK-DAG: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 32x32x64 f32)
// REMARK-DAG: remark: matched by @schedule_{{[0-9a-f]+}} (generic 32x32 f32)
// REMARK-NOT: remark: {{restored|left}}

// CHECK-LABEL: func.func @chain
// CHECK-NOT: linalg.
// CHECK: return

#map = affine_map<(d0, d1) -> (d0, d1)>
#swapped = affine_map<(d0, d1) -> (d1, d0)>
func.func @chain(%a: tensor<32x64xf32>, %b: tensor<64x64xf32>, %c: tensor<64x32xf32>) -> tensor<32x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x64xf32>) -> tensor<32x64xf32>
  %m = linalg.matmul ins(%a, %b : tensor<32x64xf32>, tensor<64x64xf32>) outs(%f : tensor<32x64xf32>) -> tensor<32x64xf32>
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%m : tensor<32x64xf32>) outs(%e : tensor<32x64xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = arith.maximumf %x, %zero : f32
    linalg.yield %z : f32
  } -> tensor<32x64xf32>
  %e2 = tensor.empty() : tensor<32x32xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<32x32xf32>) -> tensor<32x32xf32>
  %m2 = linalg.matmul ins(%r, %c : tensor<32x64xf32>, tensor<64x32xf32>) outs(%f2 : tensor<32x32xf32>) -> tensor<32x32xf32>
  %s = linalg.generic {indexing_maps = [#map, #swapped, #map], iterator_types = ["parallel", "parallel"]}
      ins(%m2, %m2 : tensor<32x32xf32>, tensor<32x32xf32>) outs(%e2 : tensor<32x32xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %z = arith.subf %x, %y : f32
    linalg.yield %z : f32
  } -> tensor<32x32xf32>
  return %s : tensor<32x32xf32>
}

// NUMBERS: {{^}}3906773863100603042{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %a = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<32x64xf32>
  %b = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<64x64xf32>
  %d = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<64x32xf32>
  %m = func.call @chain(%a, %b, %d) : (tensor<32x64xf32>, tensor<64x64xf32>, tensor<64x32xf32>) -> tensor<32x32xf32>
  %r = tensor.cast %m : tensor<32x32xf32> to tensor<?x?xf32>
  %hash = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
