// A tuned matmul, convolution, and matmul with bias and ReLU run without Python: the numbers are those of the tests in
// lit/library, through mlir-opt with the plugin and through harl-opt.
// REQUIRES: passes
//
// RUN: cat %S/../library/matmul.mlir %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir > %t.lib.mlir
// RUN: %mlir-opt %t.mlir --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir fail-if-none})' -o %t.llvm.mlir 2> %t.remarks
// RUN: %FileCheck %s < %t.remarks
// RUN: %run %t.llvm.mlir | %FileCheck %S/../library/matmul.mlir --check-prefix=NUMBERS
// RUN: %harl-opt %t.mlir --pass-pipeline='builtin.module(harl-apply-schedules{library=%t.lib.mlir},harl-lower-to-llvm)' -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %S/../library/matmul.mlir --check-prefix=NUMBERS
//
// RUN: cat %S/../library/conv.mlir %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir > %t.lib.mlir
// RUN: %mlir-opt %t.mlir --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir})' -o %t.llvm.mlir 2> %t.remarks
// RUN: %FileCheck %s < %t.remarks
// RUN: %run %t.llvm.mlir | %FileCheck %S/../library/conv.mlir --check-prefix=NUMBERS
// RUN: %harl-opt %t.mlir --harl-default='library=%t.lib.mlir accuracy=reassociate' -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %S/../library/conv.mlir --check-prefix=NUMBERS
//
// RUN: cat %S/../library/plain_and_fused.mlir %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir > %t.lib.mlir
// RUN: %mlir-opt %t.mlir --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir})' -o %t.llvm.mlir 2> %t.remarks
// RUN: %FileCheck %s < %t.remarks
// RUN: %run %t.llvm.mlir | %FileCheck %S/../library/plain_and_fused.mlir --check-prefix=NUMBERS
// RUN: %harl-opt %t.mlir --harl-default='library=%t.lib.mlir' -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %S/../library/plain_and_fused.mlir --check-prefix=NUMBERS

// CHECK: remark: matched by @schedule_{{[0-9a-f]+}} (
// CHECK-NOT: remark: {{restored|left|gone}}
