// The root of every workload gets its key; equal workloads have equal keys, however they are spelled.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-annotate-workloads)' | %FileCheck %s
// RUN: %mlir-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-annotate-workloads)' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-annotate-workloads)' | %FileCheck %s
// Once more changes nothing.
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-annotate-workloads)' -o %t.once
// RUN: %harl-opt %t.once --pass-pipeline='builtin.module(harl-annotate-workloads)' -o %t.twice
// RUN: diff %t.once %t.twice
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-annotate-workloads)' -o /dev/null --remarks-filter-passed='harl.*' 2>&1 | %FileCheck %s --check-prefix=REMARK

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: func.func @dense
// CHECK-NOT: harl.
// CHECK: linalg.add
// CHECK-NOT: harl.
// CHECK: linalg.generic
// CHECK-SAME: harl.workload = "6d61071735a00aff"
// REMARK: [[#@LINE+6]]:8: remark: [Passed] Tunable {{.*}}Function=dense | Label="matmul 32x16x64 f32 +2", Workload=6d61071735a00aff
func.func @dense(%A: tensor<32x64xf32>, %B: tensor<64x16xf32>, %bias: tensor<32x16xf32>) -> tensor<32x16xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x16xf32>
  // A stale attribute goes.
  %f = linalg.fill {harl.workload = "0123456789abcdef"} ins(%z : f32) outs(%e : tensor<32x16xf32>) -> tensor<32x16xf32>
  %r = linalg.matmul ins(%A, %B : tensor<32x64xf32>, tensor<64x16xf32>) outs(%f : tensor<32x16xf32>) -> tensor<32x16xf32>
  %s = linalg.add ins(%r, %bias : tensor<32x16xf32>, tensor<32x16xf32>) outs(%e : tensor<32x16xf32>) -> tensor<32x16xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
       ins(%s : tensor<32x16xf32>) outs(%e : tensor<32x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %m = arith.maximumf %x, %z : f32
    linalg.yield %m : f32
  } -> tensor<32x16xf32>
  return %q : tensor<32x16xf32>
}

// One product in three spellings; the key is the one of tests/tasks/golden/matmuls.txt.
// CHECK-LABEL: func.func @named
// CHECK: linalg.matmul {harl.workload = "10c372796884c063"}
func.func @named(%A: tensor<17x33xf32>, %B: tensor<33x40xf32>, %C: tensor<17x40xf32>) -> tensor<17x40xf32> {
  %r = linalg.matmul ins(%A, %B : tensor<17x33xf32>, tensor<33x40xf32>) outs(%C : tensor<17x40xf32>) -> tensor<17x40xf32>
  return %r : tensor<17x40xf32>
}

// Functions of nested modules too.
// CHECK: module @inner
module @inner {
  // CHECK-LABEL: func.func @generic
  // CHECK: harl.workload = "10c372796884c063"
  func.func @generic(%A: tensor<17x33xf32>, %B: tensor<33x40xf32>, %C: tensor<17x40xf32>) -> tensor<17x40xf32> {
    %r = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
         ins(%A, %B : tensor<17x33xf32>, tensor<33x40xf32>) outs(%C : tensor<17x40xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %unused = arith.addf %a, %b : f32
      %p = arith.mulf %b, %a : f32
      %s = arith.addf %p, %c : f32
      linalg.yield %s : f32
    } -> tensor<17x40xf32>
    return %r : tensor<17x40xf32>
  }
}

// CHECK-LABEL: func.func @contract
// CHECK: harl.workload = "10c372796884c063"
func.func @contract(%A: tensor<17x33xf32>, %B: tensor<33x40xf32>, %C: tensor<17x40xf32>) -> tensor<17x40xf32> {
  %r = linalg.contract indexing_maps = [#mk, #kn, #mn]
       ins(%A, %B : tensor<17x33xf32>, tensor<33x40xf32>) outs(%C : tensor<17x40xf32>) -> tensor<17x40xf32>
  return %r : tensor<17x40xf32>
}

// Each product has the fill they share; the sum follows the nearer one.
// CHECK-LABEL: func.func @shared_fill
// CHECK: linalg.fill ins
// CHECK: linalg.matmul {harl.workload = "9f119db20e4237b9"}
// CHECK: linalg.matmul ins
// CHECK: linalg.add {harl.workload = "a8cff740a35333f5"}
func.func @shared_fill(%A: tensor<8x8xf32>, %B: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %r = linalg.matmul ins(%A, %B : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %s = linalg.matmul ins(%B, %A : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %t = linalg.add ins(%r, %s : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %t : tensor<8x8xf32>
}

// A convolution's strides are part of the key, and MLIR's cache of its maps does not show.
// CHECK-LABEL: func.func @conv
// CHECK-NOT: memoized
// CHECK: harl.workload = "87f278a0b63a3452"
// CHECK-NOT: memoized
func.func @conv(%x: tensor<1x20x4xf32>, %w: tensor<3x4x8xf32>, %y: tensor<1x9x8xf32>) -> tensor<1x9x8xf32> {
  %r = linalg.conv_1d_nwc_wcf {strides = dense<2> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
       ins(%x, %w : tensor<1x20x4xf32>, tensor<3x4x8xf32>) outs(%y : tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  return %r : tensor<1x9x8xf32>
}
