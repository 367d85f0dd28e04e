// What goes wrong ends in one sentence with the place, and no module is printed.
//
// RUN: not %harl-mlir-opt %s --pass-pipeline='builtin.module(cse,no-such-pass)' 2>&1 | %FileCheck %s --check-prefix=PASS
// RUN: not %harl-mlir-opt %s --pass-pipeline='builtin.module(cse' 2>&1 | %FileCheck %s --check-prefix=BRACKET
// RUN: not %harl-mlir-opt %s --pass-pipeline='harl-lower-to-llvm{acuracy=strict}' 2>&1 | %FileCheck %s --check-prefix=OPTION
// RUN: not %harl-mlir-opt %s --pass-pipeline=harl-default 2>&1 | %FileCheck %s --check-prefix=LIBRARY
// RUN: not %harl-mlir-opt %s --library=%t.none.mlir 2>&1 | %FileCheck %s --check-prefix=FILE
// RUN: not %harl-mlir-opt %s --pass-pipeline=one-shot-bufferize 2>&1 | %FileCheck %s --check-prefix=FAILS
// RUN: echo 'func.func @f() {' | not %harl-mlir-opt 2>&1 | %FileCheck %s --check-prefix=PARSE
// RUN: echo '"a.b"() : () -> ()' | not %harl-mlir-opt - 2>&1 | %FileCheck %s --check-prefix=DIALECT
// RUN: echo '"a.b"() : () -> ()' | %harl-mlir-opt - --allow-unregistered-dialect | %FileCheck %s --check-prefix=ALLOWED

// PASS-NOT: func.func
// PASS: error: --pass-pipeline: 'no-such-pass' does not refer to a registered pass
// BRACKET: error: --pass-pipeline:1:15: this '(' is not closed
// OPTION: error: --pass-pipeline:1:1: harl-lower-to-llvm has no option 'acuracy'; it has accuracy
// LIBRARY: error: harl-apply-schedules needs schedules; name their file with --library
// FILE: none.mlir: there is no such file
// FAILS-NOT: func.func
// FAILS: errors.mlir:[[#@LINE+6]]:8: a pass failed: op was not bufferized
// PARSE: error: <stdin>:1:17: not valid MLIR: expected operation name in quotes
// DIALECT: error: <stdin>:1:6: this op's dialect is not one of MLIR's own
// ALLOWED: "a.b"()

func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  %r = tosa.exp %a : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
