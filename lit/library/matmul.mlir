// One matmul with its fill: what the library says of itself, the loops, the vectors, the numbers.
//
// RUN: cat %s %S/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir --set rows=8 --set vector=32 --set unroll=4 > %t.lib.mlir
// RUN: %mlir-opt %t.mlir --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   > %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=LIBRARY < %t.lib.mlir
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %t.mlir --library %t.lib.mlir -o %t.opt.mlir 2> %t.opt.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.opt.remarks
// RUN: %FileCheck %s < %t.opt.mlir
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir})' > %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %lower %t.tuned.mlir > %t.tuned.llvm.mlir
// RUN: %run %t.tuned.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %lower %t.mlir > %t.untuned.llvm.mlir
// RUN: %run %t.untuned.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS

// LIBRARY: module attributes
// LIBRARY-SAME: harl.accuracy = "reassociate"
// LIBRARY-SAME: harl.features = ["avx512f"]
// LIBRARY-SAME: harl.library = 1
// LIBRARY-SAME: harl.processor = "any"
// LIBRARY-SAME: harl.producer = "harl_mlir 0"
// LIBRARY-SAME: harl.threads = 1
// LIBRARY: transform.named_sequence @schedule_[[KEY:[0-9a-f]+]]({{.*}}) attributes {harl.choices = {{[{].*}}rows = 8 : i64, unroll = 4 : i64, vector = 32 : i64, {{.*}}}, harl.label = "matmul 64x96x48 f32", harl.sketch = "contraction
// LIBRARY-NOT: transform.tune.
// LIBRARY: transform.named_sequence @__transform_main
// LIBRARY-NEXT: transform.include @apply_[[KEY]]

// Three steps over the columns, eight over the rows, twelve over k, four times unrolled.
// CHECK-LABEL: func.func @matmul(%arg0: tensor<64x48xf32>, %arg1: tensor<48x96xf32>) -> tensor<64x96xf32>
// CHECK-NOT: linalg.
// CHECK: scf.for {{.*}} to %c96{{.*}} step %c32
// CHECK: scf.for {{.*}} to %c64{{.*}} step %c8
// CHECK: scf.for {{.*}} to %c48{{.*}} step %c4{{.*}} -> (vector<8x32xf32>)
// CHECK-COUNT-4: vector.contract {{.*}} : vector<8x1xf32>, vector<1x32xf32> into vector<8x32xf32>
// CHECK-NOT: linalg.
// CHECK: return

func.func @matmul(%a: tensor<64x48xf32>, %b: tensor<48x96xf32>) -> tensor<64x96xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x96xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x96xf32>) -> tensor<64x96xf32>
  // REMARK: mlir:[[@LINE+2]]:8: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 64x96x48 f32)
  // REMARK-NOT: remark:
  %m = linalg.matmul ins(%a, %b : tensor<64x48xf32>, tensor<48x96xf32>) outs(%f : tensor<64x96xf32>) -> tensor<64x96xf32>
  return %m : tensor<64x96xf32>
}

// NUMBERS: {{^}}1266451448082265030{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %a = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<64x48xf32>
  %b = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<48x96xf32>
  %m = func.call @matmul(%a, %b) : (tensor<64x48xf32>, tensor<48x96xf32>) -> tensor<64x96xf32>
  %r = tensor.cast %m : tensor<64x96xf32> to tensor<?x?xf32>
  %hash = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
