// The places of rows' greatest elements are counted from the row's beginning, whichever MLIR applies the schedule.
// REQUIRES: passes
// RUN: %write-library %s --set width=32 > %t.lib.mlir
// RUN: %harl-opt %s --harl-default='library=%t.lib.mlir fail-if-none' -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir fail-if-none})' -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-normalize))' -o %t.plain.mlir
// RUN: %mlir-opt %t.plain.mlir --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter -o %t.tuned.mlir
// RUN: %FileCheck %s --check-prefix=TUNED < %t.tuned.mlir
// RUN: %lower %t.tuned.mlir > %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s

// TUNED-LABEL: func.func @places
// TUNED-NOT: linalg.
// TUNED: return

// 5, 22, 39, 56, 73, 90 in base 101.
// CHECK: 54880591785{{$}}

func.func @places(%x: tensor<6x101xf32>) -> tensor<6xi64> {
  %start = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0 : i64
  %kept = tensor.empty() : tensor<6xf32>
  %most = linalg.fill ins(%start : f32) outs(%kept : tensor<6xf32>) -> tensor<6xf32>
  %held = tensor.empty() : tensor<6xi64>
  %first = linalg.fill ins(%zero : i64) outs(%held : tensor<6xi64>) -> tensor<6xi64>
  %both:2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>,
      affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<6x101xf32>) outs(%most, %first : tensor<6xf32>, tensor<6xi64>) {
  ^bb0(%in: f32, %out: f32, %place: i64):
    %j = linalg.index 1 : index
    %here = arith.index_cast %j : index to i64
    %m = arith.maximumf %in, %out : f32
    %c = arith.cmpf ogt, %in, %out : f32
    %p = arith.select %c, %here, %place : i64
    linalg.yield %m, %p : f32, i64
  } -> (tensor<6xf32>, tensor<6xi64>)
  return %both#1 : tensor<6xi64>
}

func.func @main() -> i64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %five = arith.constant 5 : index
  %seventeen = arith.constant 17 : index
  %x = tensor.generate {
  ^bb0(%i: index, %j: index):
    %off = arith.muli %i, %seventeen : index
    %top = arith.addi %off, %five : index
    %left = arith.subi %j, %top : index
    %square = arith.muli %left, %left : index
    %n = arith.index_cast %square : index to i64
    %f = arith.sitofp %n : i64 to f32
    %value = arith.negf %f : f32
    tensor.yield %value : f32
  } : tensor<6x101xf32>
  %places = func.call @places(%x) : (tensor<6x101xf32>) -> tensor<6xi64>
  %zero = arith.constant 0 : i64
  %base = arith.constant 101 : i64
  %number = scf.for %i = %c0 to %c6 step %c1 iter_args(%h = %zero) -> (i64) {
    %place = tensor.extract %places[%i] : tensor<6xi64>
    %m = arith.muli %h, %base : i64
    %s = arith.addi %m, %place : i64
    scf.yield %s : i64
  }
  return %number : i64
}
