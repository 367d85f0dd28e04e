// The fixed lowering: copies between strided buffers are loops and not calls, a value may be returned twice, private
// functions compute in place, and accuracy is kept to.
// REQUIRES: passes
// RUN: cat %s %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %harl-opt %t.mlir --harl-lower-to-llvm -o %t.llvm.mlir
// RUN: %FileCheck %s < %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-opt %t.mlir --harl-lower-to-llvm=accuracy=strict -o %t.strict.mlir
// RUN: %FileCheck %s --check-prefix=STRICT < %t.strict.mlir
// RUN: %run %t.strict.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %mlir-opt %t.mlir --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-lower-to-llvm{accuracy=approximate})' -o %t.approximate.mlir
// RUN: %FileCheck %s --check-prefix=APPROXIMATE < %t.approximate.mlir
// RUN: %run %t.approximate.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='builtin.module(harl-lower-to-llvm{accuracy=strict})' -o %t.strict.mlir
// RUN: %FileCheck %s --check-prefix=STRICT < %t.strict.mlir
// RUN: %run %t.strict.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='builtin.module(harl-lower-to-llvm{accuracy=approximate})' -o %t.approximate.mlir
// RUN: %FileCheck %s --check-prefix=APPROXIMATE < %t.approximate.mlir
// RUN: %run %t.approximate.mlir | %FileCheck %s --check-prefix=NUMBERS

// CHECK-NOT: memrefCopy
// STRICT-NOT: reassoc
// STRICT: llvm.intr.exp
// STRICT-NOT: reassoc
// APPROXIMATE-NOT: llvm.intr.exp

// One pointer, its descriptor, and a parameter for the result: eight and eight more.
// CHECK-LABEL: llvm.func @strided
// CHECK-SAME: %arg13: i64
func.func @strided(%a: tensor<4x4xf32>, %b: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %s = tensor.extract_slice %b[0, 0] [4, 4] [2, 2] : tensor<8x8xf32> to tensor<4x4xf32>
  %r = linalg.add ins(%s, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
  %i = tensor.insert_slice %r into %b[1, 1] [4, 4] [1, 2] : tensor<4x4xf32> into tensor<8x8xf32>
  %j = tensor.insert_slice %s into %i[2, 2] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<8x8xf32>
  return %j : tensor<8x8xf32>
}

func.func @twice(%a: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %e = tensor.empty() : tensor<4x4xf32>
  %x = linalg.add ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %x, %x : tensor<4x4xf32>, tensor<4x4xf32>
}

// The result is left in the argument; there is no parameter for it.
// CHECK-LABEL: llvm.func @in_place
// CHECK-SAME: %arg6: i64)
func.func private @in_place(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %x = linalg.add ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %x : tensor<4x4xf32>
}

// A public function's result has a parameter always.
// CHECK-LABEL: llvm.func @public
// CHECK-SAME: %arg7: !llvm.ptr
func.func @public(%a: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %x = linalg.add ins(%a, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %x : tensor<4x4xf32>
}

// CHECK-LABEL: llvm.func @sums
// CHECK: fastmathFlags = #llvm.fastmath<reassoc>
// CHECK: llvm.intr.exp
func.func @sums(%a: vector<16xf32>) -> f32 {
  %zero = arith.constant 0.0 : f32
  %s = vector.reduction <add>, %a, %zero : vector<16xf32> into f32
  %one = arith.constant 1.0 : f32
  %f = vector.extract %a[0] : f32 from vector<16xf32>
  %d = arith.subf %f, %one : f32
  %e = math.exp %d : f32
  %t = arith.addf %s, %e : f32
  return %t : f32
}

// NUMBERS: {{^}}1944720159318273883{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %n = tensor.generate {
  ^bb0(%i: index, %j: index):
    %v = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %v : f32
  } : tensor<8x8xf32>
  %a = tensor.extract_slice %n[1, 2] [4, 4] [1, 1] : tensor<8x8xf32> to tensor<4x4xf32>
  %s = func.call @strided(%a, %n) : (tensor<4x4xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %x, %y = func.call @twice(%a) : (tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>)
  %z = func.call @in_place(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %u = func.call @public(%y) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %ones = arith.constant dense<1.0> : vector<16xf32>
  %v = func.call @sums(%ones) : (vector<16xf32>) -> f32
  %w = tensor.from_elements %v : tensor<1x1xf32>
  %s0 = tensor.cast %s : tensor<8x8xf32> to tensor<?x?xf32>
  %z0 = tensor.cast %z : tensor<4x4xf32> to tensor<?x?xf32>
  %y0 = tensor.cast %y : tensor<4x4xf32> to tensor<?x?xf32>
  %u0 = tensor.cast %u : tensor<4x4xf32> to tensor<?x?xf32>
  %w0 = tensor.cast %w : tensor<1x1xf32> to tensor<?x?xf32>
  %h1 = func.call @hash(%s0, %start) : (tensor<?x?xf32>, i64) -> i64
  %h2 = func.call @hash(%z0, %h1) : (tensor<?x?xf32>, i64) -> i64
  %h3 = func.call @hash(%y0, %h2) : (tensor<?x?xf32>, i64) -> i64
  %h4 = func.call @hash(%u0, %h3) : (tensor<?x?xf32>, i64) -> i64
  %h5 = func.call @hash(%w0, %h4) : (tensor<?x?xf32>, i64) -> i64
  return %h5 : i64
}
