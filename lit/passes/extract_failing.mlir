// What goes wrong in writing kernels is said in one sentence.
// REQUIRES: passes
// RUN: not %harl-opt %s --pass-pipeline='builtin.module(harl-extract-tasks)' -o /dev/null 2>&1 | %FileCheck %s --check-prefix=MISSING
// MISSING: error: harl-extract-tasks needs the directory for the kernels: harl-extract-tasks{output-dir=DIR}
// MISSING-NOT: {{.}}

// A file where a directory should be, above it and itself.
// RUN: rm -rf %t.file %t.dir && echo x > %t.file
// RUN: not %harl-opt %s --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.file/kernels})' -o /dev/null 2>&1 | %FileCheck %s --check-prefix=MAKE
// RUN: not %mlir-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.file/kernels})' -o /dev/null 2>&1 | %FileCheck %s --check-prefix=MAKE
// MAKE: error: cannot make the directory '{{.*}}/kernels': Not a directory; give another output-dir
// MAKE-NOT: {{.}}
// RUN: not %harl-opt %s --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.file})' -o /dev/null 2>&1 | %FileCheck %s --check-prefix=MAKE2
// MAKE2: error: cannot {{make the directory|write}} '{{.*}}': Not a directory; give another output-dir
// MAKE2-NOT: {{.}}

// Something else stands where the kernel goes; no other file is left behind.
// RUN: mkdir -p %t.dir/cdf41271f95bde0e.mlir
// RUN: not %harl-opt %s --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.dir})' -o /dev/null 2>&1 | %FileCheck %s --check-prefix=WRITE
// WRITE: error: cannot write '{{.*}}cdf41271f95bde0e.mlir': Is a directory; give another output-dir
// WRITE-NOT: {{.}}
// RUN: ls %t.dir | %FileCheck %s --check-prefix=LEFT
// LEFT: cdf41271f95bde0e.mlir
// LEFT-NOT: {{.}}

// A module without a tunable op is no error.
// RUN: echo 'func.func @f() { return }' | %harl-opt - --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.none})' -o /dev/null 2>&1 | %FileCheck %s --check-prefix=NONE
// NONE: warning: no linalg op here is tunable, so no kernel was written to '{{.*}}'; --remarks-filter-missed=harl.* says why of each op

func.func @f(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %r = linalg.exp ins(%x : tensor<8x8xf32>) outs(%x : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}
