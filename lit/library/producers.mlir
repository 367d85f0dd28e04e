// A product of which both operands are computed: one task, whose schedule widens the weights as it reads them.
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

// REMARK: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 24x64x48 f32)
// REMARK-NOT: remark: {{restored|left}}

// CHECK-LABEL: func.func @scaled
// CHECK-NOT: linalg.
// CHECK: scf.for
// The first operand is computed before, in loops of its own.
// CHECK: arith.maximumf {{.*}} : vector<
// CHECK: scf.for
// CHECK: arith.sitofp {{.*}} : vector<1x32xi8> to vector<1x32xf32>
// CHECK: vector.contract
// CHECK-NOT: linalg.
// CHECK: return

#map = affine_map<(d0, d1) -> (d0, d1)>
func.func @scaled(%a: tensor<24x48xf32>, %w: tensor<48x64xi8>) -> tensor<24x64xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  %ea = tensor.empty() : tensor<24x48xf32>
  %r = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<24x48xf32>) outs(%ea : tensor<24x48xf32>) {
  ^bb0(%x: f32, %o: f32):
    %y = arith.maximumf %x, %zero : f32
    linalg.yield %y : f32
  } -> tensor<24x48xf32>
  %ew = tensor.empty() : tensor<48x64xf32>
  %wide = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<48x64xi8>) outs(%ew : tensor<48x64xf32>) {
  ^bb0(%x: i8, %o: f32):
    %y = arith.sitofp %x : i8 to f32
    %d = arith.mulf %y, %two : f32
    %z = arith.addf %d, %one : f32
    linalg.yield %z : f32
  } -> tensor<48x64xf32>
  %e = tensor.empty() : tensor<24x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<24x64xf32>) -> tensor<24x64xf32>
  %c = linalg.matmul ins(%r, %wide : tensor<24x48xf32>, tensor<48x64xf32>)
      outs(%f : tensor<24x64xf32>) -> tensor<24x64xf32>
  return %c : tensor<24x64xf32>
}

// NUMBERS: {{^}}-7311645287605467802{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %a = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<24x48xf32>
  %w = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    %n = arith.fptosi %x : f32 to i8
    tensor.yield %n : i8
  } : tensor<48x64xi8>
  %m = func.call @scaled(%a, %w) : (tensor<24x48xf32>, tensor<48x64xi8>) -> tensor<24x64xf32>
  %r = tensor.cast %m : tensor<24x64xf32> to tensor<?x?xf32>
  %hash = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
