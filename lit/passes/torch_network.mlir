// What torch-mlir makes of a small network: a flattened image, two linear layers whose weights are turned, ReLU as a
// comparison and a selection, and the rows' greatest numbers taken off. It is tuned and lowered as it is.
// REQUIRES: passes
// RUN: %write-library %s --function forward > %t.lib.mlir
// RUN: %mlir-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-apply-schedules{library=%t.lib.mlir fail-if-none})' -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-apply-schedules{library=%t.lib.mlir fail-if-none})' -o %t.tuned.mlir
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-opt %s --harl-default=library=%t.lib.mlir -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir})' -o %t.opt.mlir
// RUN: %run %t.opt.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-opt %s --harl-lower-to-llvm -o %t.untuned.mlir
// RUN: %run %t.untuned.mlir | %FileCheck %s --check-prefix=NUMBERS

// The transposes are part of the products.
// REMARK-DAG: remark: matched by {{.*}} (generic 4x48x32 f32 +1)
// REMARK-DAG: remark: matched by {{.*}} (generic 4x16x48 f32 +2)
// REMARK-NOT: remark:

// CHECK-LABEL: func.func @forward
// CHECK-NOT: linalg.{{matmul|transpose}}
// CHECK: return

#map = affine_map<(d0, d1) -> (d0, d1)>
#map1 = affine_map<(d0, d1) -> (d1)>
#map2 = affine_map<(d0, d1) -> (d0, 0)>
module attributes {torch.debug_module_name = "Net"} {
  func.func @forward(%arg0: tensor<4x2x4x4xf32>, %arg1: tensor<48x32xf32>, %arg2: tensor<48xf32>, %arg3: tensor<16x48xf32>, %arg4: tensor<16xf32>) -> tensor<4x16xf32> {
    %cst = arith.constant 0.000000e+00 : f32
    %cst_0 = arith.constant 0xFF800000 : f32
    %collapsed = tensor.collapse_shape %arg0 [[0], [1, 2, 3]] : tensor<4x2x4x4xf32> into tensor<4x32xf32>
    %0 = tensor.empty() : tensor<32x48xf32>
    %transposed = linalg.transpose ins(%arg1 : tensor<48x32xf32>) outs(%0 : tensor<32x48xf32>) permutation = [1, 0]
    %1 = tensor.empty() : tensor<4x48xf32>
    %2 = linalg.fill ins(%cst : f32) outs(%1 : tensor<4x48xf32>) -> tensor<4x48xf32>
    %3 = linalg.matmul ins(%collapsed, %transposed : tensor<4x32xf32>, tensor<32x48xf32>) outs(%2 : tensor<4x48xf32>) -> tensor<4x48xf32>
    %4 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%3, %arg2 : tensor<4x48xf32>, tensor<48xf32>) outs(%1 : tensor<4x48xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %15 = arith.addf %in, %in_2 : f32
      linalg.yield %15 : f32
    } -> tensor<4x48xf32>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%4 : tensor<4x48xf32>) outs(%1 : tensor<4x48xf32>) {
    ^bb0(%in: f32, %out: f32):
      %15 = arith.cmpf ugt, %in, %cst : f32
      %16 = arith.select %15, %in, %cst : f32
      linalg.yield %16 : f32
    } -> tensor<4x48xf32>
    %6 = tensor.empty() : tensor<48x16xf32>
    %transposed_1 = linalg.transpose ins(%arg3 : tensor<16x48xf32>) outs(%6 : tensor<48x16xf32>) permutation = [1, 0]
    %7 = tensor.empty() : tensor<4x16xf32>
    %8 = linalg.fill ins(%cst : f32) outs(%7 : tensor<4x16xf32>) -> tensor<4x16xf32>
    %9 = linalg.matmul ins(%5, %transposed_1 : tensor<4x48xf32>, tensor<48x16xf32>) outs(%8 : tensor<4x16xf32>) -> tensor<4x16xf32>
    %10 = linalg.generic {indexing_maps = [#map, #map1, #map], iterator_types = ["parallel", "parallel"]} ins(%9, %arg4 : tensor<4x16xf32>, tensor<16xf32>) outs(%7 : tensor<4x16xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %15 = arith.addf %in, %in_2 : f32
      linalg.yield %15 : f32
    } -> tensor<4x16xf32>
    %11 = tensor.empty() : tensor<4x1xf32>
    %12 = linalg.fill ins(%cst_0 : f32) outs(%11 : tensor<4x1xf32>) -> tensor<4x1xf32>
    %13 = linalg.generic {indexing_maps = [#map, #map2], iterator_types = ["parallel", "reduction"]} ins(%10 : tensor<4x16xf32>) outs(%12 : tensor<4x1xf32>) {
    ^bb0(%in: f32, %out: f32):
      %15 = arith.maximumf %in, %out : f32
      linalg.yield %15 : f32
    } -> tensor<4x1xf32>
    %14 = linalg.generic {indexing_maps = [#map, #map2, #map], iterator_types = ["parallel", "parallel"]} ins(%10, %13 : tensor<4x16xf32>, tensor<4x1xf32>) outs(%7 : tensor<4x16xf32>) {
    ^bb0(%in: f32, %in_2: f32, %out: f32):
      %15 = arith.subf %in, %in_2 : f32
      linalg.yield %15 : f32
    } -> tensor<4x16xf32>
    return %14 : tensor<4x16xf32>
  }

  // NUMBERS: {{^}}435586660585459026{{$}}
  func.func @main() -> i64 {
    %start = arith.constant 0 : i64
    %n = tensor.generate {
    ^bb0(%i: index, %j: index):
      %v = func.call @number(%i, %j) : (index, index) -> f32
      tensor.yield %v : f32
    } : tensor<64x64xf32>
    %x0 = tensor.extract_slice %n[0, 0] [4, 32] [1, 1] : tensor<64x64xf32> to tensor<4x32xf32>
    %x = tensor.expand_shape %x0 [[0], [1, 2, 3]] output_shape [4, 2, 4, 4] : tensor<4x32xf32> into tensor<4x2x4x4xf32>
    %w = tensor.extract_slice %n[1, 1] [48, 32] [1, 1] : tensor<64x64xf32> to tensor<48x32xf32>
    %b = tensor.extract_slice %n[2, 2] [1, 48] [1, 1] : tensor<64x64xf32> to tensor<48xf32>
    %v = tensor.extract_slice %n[3, 3] [16, 48] [1, 1] : tensor<64x64xf32> to tensor<16x48xf32>
    %c = tensor.extract_slice %n[4, 4] [1, 16] [1, 1] : tensor<64x64xf32> to tensor<16xf32>
    %y = func.call @forward(%x, %w, %b, %v, %c) : (tensor<4x2x4x4xf32>, tensor<48x32xf32>, tensor<48xf32>, tensor<16x48xf32>, tensor<16xf32>) -> tensor<4x16xf32>
    %r = tensor.cast %y : tensor<4x16xf32> to tensor<?x?xf32>
    %h = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
    return %h : i64
  }

  func.func @number(%i: index, %j: index) -> f32 {
    %c3 = arith.constant 3 : index
    %c5 = arith.constant 5 : index
    %c11 = arith.constant 11 : index
    %p = arith.muli %i, %c3 : index
    %q = arith.muli %j, %c5 : index
    %s = arith.addi %p, %q : index
    %r = arith.remui %s, %c11 : index
    %n = arith.index_cast %r : index to i64
    %five = arith.constant 5 : i64
    %d = arith.subi %n, %five : i64
    %x = arith.sitofp %d : i64 to f32
    return %x : f32
  }
  
  func.func @hash(%t: tensor<?x?xf32>, %start: i64) -> i64 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %rows = tensor.dim %t, %c0 : tensor<?x?xf32>
    %columns = tensor.dim %t, %c1 : tensor<?x?xf32>
    %c31 = arith.constant 31 : i64
    %hash = scf.for %i = %c0 to %rows step %c1 iter_args(%outer = %start) -> (i64) {
      %inner = scf.for %j = %c0 to %columns step %c1 iter_args(%h = %outer) -> (i64) {
        %x = tensor.extract %t[%i, %j] : tensor<?x?xf32>
        %n = arith.fptosi %x : f32 to i64
        %m = arith.muli %h, %c31 : i64
        %s = arith.addi %m, %n : i64
        scf.yield %s : i64
      }
      scf.yield %inner : i64
    }
    return %hash : i64
  }
}
