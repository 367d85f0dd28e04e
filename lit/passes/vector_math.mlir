// Functions of vectors become calls of libmvec in pieces of the instruction set's width, the last one filled up; never
// under strict accuracy.
// REQUIRES: passes
// RUN: %harl-opt %s --harl-vector-math=isa=avx512 | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-vector-math{isa=avx512})' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm=vector-math=avx2 | %FileCheck %s --check-prefix=LOWERED
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-lower-to-llvm{vector-math=avx2})' | %FileCheck %s --check-prefix=LOWERED
// RUN: %harl-opt %s --harl-lower-to-llvm='vector-math=avx2 accuracy=strict' | %FileCheck %s --check-prefix=NONE
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=NONE
// RUN: %harl-opt %s --harl-vector-math | %FileCheck %s --check-prefix=LEFT

// LOWERED-DAG: llvm.func @_ZGVdN8v_expf(vector<8xf32>) -> vector<8xf32> attributes {{{.*}}#llvm.memory_effects<other = none
// LOWERED-DAG: llvm.call @_ZGVdN8v_expf
// LOWERED-DAG: llvm.call @_ZGVdN4vv_pow
// LOWERED-DAG: llvm.call @log1pf
// NONE-NOT: _ZGV

// CHECK-DAG: func.func private @_ZGVeN16v_expf(vector<16xf32>) -> vector<16xf32>
// CHECK-DAG: func.func private @_ZGVdN8v_expf(vector<8xf32>) -> vector<8xf32>
// CHECK-DAG: func.func private @_ZGVeN8vv_pow(vector<8xf64>, vector<8xf64>) -> vector<8xf64>
// CHECK-DAG: func.func private @log1pf(f32) -> f32
// LEFT: func.func private @log1pf(f32) -> f32

// CHECK-LABEL: func.func @pieces
// CHECK: %[[FIRST:.*]] = vector.extract_strided_slice %{{.*}} {offsets = [0], sizes = [16], strides = [1]}
// CHECK: call @_ZGVeN16v_expf(%[[FIRST]])
// CHECK: %[[REST:.*]] = vector.extract_strided_slice %{{.*}} {offsets = [16], sizes = [5], strides = [1]}
// CHECK: %[[FILLED:.*]] = vector.shuffle %[[REST]], %[[REST]] [0, 1, 2, 3, 4, 4, 4, 4]
// CHECK: %[[MADE:.*]] = call @_ZGVdN8v_expf(%[[FILLED]])
// CHECK: vector.extract_strided_slice %[[MADE]] {offsets = [0], sizes = [5], strides = [1]}
// LEFT: math.exp
func.func @pieces(%a: vector<3x7xf32>) -> vector<3x7xf32> {
  %0 = math.exp %a : vector<3x7xf32>
  return %0 : vector<3x7xf32>
}

// CHECK-LABEL: func.func @rows
// CHECK: vector.extract %{{.*}}[0]
// CHECK: call @_ZGVeN8vv_pow
// CHECK: vector.extract %{{.*}}[1]
// CHECK: call @_ZGVeN8vv_pow
func.func @rows(%a: vector<2x8xf64>, %b: vector<2x8xf64>) -> vector<2x8xf64> {
  %0 = math.powf %a, %b : vector<2x8xf64>
  return %0 : vector<2x8xf64>
}

// CHECK-LABEL: func.func @narrow
// CHECK: %[[WIDE:.*]] = arith.extf %{{.*}} : vector<16xf16> to vector<16xf32>
// CHECK: %[[SINE:.*]] = call @_ZGVeN16v_sinf(%[[WIDE]])
// CHECK: arith.truncf %[[SINE]] : vector<16xf32> to vector<16xf16>
func.func @narrow(%a: vector<16xf16>) -> vector<16xf16> {
  %0 = math.sin %a : vector<16xf16>
  return %0 : vector<16xf16>
}

// CHECK-LABEL: func.func @scalars
// CHECK: math.exp
// CHECK: call @log1pf
// LEFT-LABEL: func.func @scalars
// LEFT: call @log1pf
func.func @scalars(%a: f32) -> (f32, f32) {
  %0 = math.exp %a : f32
  %1 = math.log1p %a : f32
  return %0, %1 : f32, f32
}
