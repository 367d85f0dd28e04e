// Each distinct workload becomes a kernel file that is named by its key.
// REQUIRES: passes
// RUN: rm -rf %t.dir && %harl-opt %s --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.dir/new/kernels})' -o %t.mlir --remarks-filter='harl.*' 2>%t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK --input-file=%t.remarks
// RUN: ls %t.dir/new/kernels | %FileCheck %s --check-prefix=FILES
// RUN: %FileCheck %s --check-prefix=DENSE --input-file=%t.dir/new/kernels/b83e90c8cd32e56c.mlir
// RUN: %FileCheck %s --check-prefix=UPDATE --input-file=%t.dir/new/kernels/cdf41271f95bde0e.mlir
// The module stays as it is.
// RUN: %harl-opt %s -o %t.same && diff %t.same %t.mlir
// The other tool, and extracting once more over the files, write the same.
// RUN: rm -rf %t.other && %mlir-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-annotate-workloads,harl-extract-tasks{output-dir=%t.other})' -o /dev/null
// RUN: diff -r %t.dir/new/kernels %t.other
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.other})' -o /dev/null
// RUN: diff -r %t.dir/new/kernels %t.other

// So does the tool over the bindings' MLIR, but for how the two print.
// RUN: rm -rf %t.opt && %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.opt})' -o %t.opt.mlir
// RUN: ls %t.opt | %FileCheck %s --check-prefix=FILES
// RUN: %FileCheck %s --check-prefix=DENSE --input-file=%t.opt/b83e90c8cd32e56c.mlir
// RUN: %FileCheck %s --check-prefix=UPDATE --input-file=%t.opt/cdf41271f95bde0e.mlir

// FILES: b83e90c8cd32e56c.mlir
// FILES-NEXT: cdf41271f95bde0e.mlir
// FILES-NOT: {{.}}
// REMARK: remark: [Passed] Extracted {{.*}}Function=dense | {{.*}}Workload=b83e90c8cd32e56c

// Constants that are one number are inside; the dense one and what is no constant are arguments.
// DENSE: // matmul 8x4x6 f32 +1, workload b83e90c8cd32e56c
// DENSE: func.func @kernel(%[[A:.*]]: tensor<8x6xf32>, %[[B:.*]]: tensor<6x4xf32>, %[[BIAS:.*]]: tensor<4xf32>) -> tensor<8x4xf32>
// DENSE-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// DENSE-DAG: %[[EMPTY:.*]] = tensor.empty() : tensor<8x4xf32>
// DENSE: %[[FILL:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[EMPTY]]
// DENSE: %[[R:.*]] = linalg.matmul ins(%[[A]], %[[B]] {{.*}} outs(%[[FILL]]
// DENSE: %[[Q:.*]] = linalg.generic
// DENSE-SAME: ins(%[[R]], %[[BIAS]]
// DENSE: arith.maximumf %{{.*}}, %[[ZERO]] : f32
// DENSE: return %[[Q]]
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
func.func @dense(%unused: f32, %A: tensor<8x6xf32>, %B: tensor<6x4xf32>) -> tensor<8x4xf32> {
  %z = arith.constant 0.0 : f32
  %bias = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %e = tensor.empty() : tensor<8x4xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  %r = linalg.matmul ins(%A, %B : tensor<8x6xf32>, tensor<6x4xf32>) outs(%f : tensor<8x4xf32>) -> tensor<8x4xf32>
  %q = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
       ins(%r, %bias : tensor<8x4xf32>, tensor<4xf32>) outs(%e : tensor<8x4xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    %m = arith.maximumf %s, %z : f32
    linalg.yield %m : f32
  } -> tensor<8x4xf32>
  return %q : tensor<8x4xf32>
}

// The init's old value is not read: it is no argument. Two equal tasks give one file.
// UPDATE: func.func @kernel(%[[X:.*]]: tensor<8x8xf32>) -> tensor<8x8xf32>
// UPDATE: %[[E:.*]] = tensor.empty() : tensor<8x8xf32>
// UPDATE: %[[R:.*]] = linalg.exp ins(%[[X]] : tensor<8x8xf32>) outs(%[[E]] : tensor<8x8xf32>)
// UPDATE-NOT: harl.
// UPDATE: return %[[R]]
func.func @update(%x: tensor<8x8xf32>, %y: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %r = linalg.exp ins(%x : tensor<8x8xf32>) outs(%y : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}
func.func @again(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %r = linalg.elementwise kind=#linalg.elementwise_kind<exp> ins(%x : tensor<8x8xf32>) outs(%x : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}
