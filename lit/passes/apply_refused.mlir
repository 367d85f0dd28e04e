// What is no library is refused in a sentence.
// REQUIRES: passes
// RUN: not %harl-opt %s --harl-apply-schedules 2>&1 | %FileCheck %s --check-prefix=NO-OPTION
// RUN: not %harl-opt %s --harl-apply-schedules=library=%t.nowhere.mlir 2>&1 | %FileCheck %s --check-prefix=MISSING
// RUN: not %harl-opt %s --harl-apply-schedules=library=%S 2>&1 | %FileCheck %s --check-prefix=DIRECTORY
// RUN: echo > %t.empty.mlir
// RUN: not %harl-opt %s --harl-apply-schedules=library=%t.empty.mlir 2>&1 | %FileCheck %s --check-prefix=EMPTY
// RUN: echo "no MLIR at all" > %t.text.mlir
// RUN: not %harl-opt %s --harl-apply-schedules=library=%t.text.mlir 2>&1 | %FileCheck %s --check-prefix=TEXT
// RUN: not %harl-opt %s --harl-apply-schedules=library=%s 2>&1 | %FileCheck %s --check-prefix=KERNEL
// RUN: echo "module attributes {harl.library = 99, transform.with_named_sequence} {}" > %t.newer.mlir
// RUN: not %harl-opt %s --harl-apply-schedules=library=%t.newer.mlir 2>&1 | %FileCheck %s --check-prefix=NEWER
// RUN: echo "module attributes {harl.library = \"one\", transform.with_named_sequence} {}" > %t.odd.mlir
// RUN: not %harl-opt %s --harl-apply-schedules=library=%t.odd.mlir 2>&1 | %FileCheck %s --check-prefix=ODD
// RUN: echo "module attributes {transform.with_named_sequence} { transform.named_sequence private @__transform_main(!transform.any_op {transform.readonly}) }" > %t.declared.mlir
// RUN: not %harl-opt %s --harl-apply-schedules=library=%t.declared.mlir 2>&1 | %FileCheck %s --check-prefix=DECLARED
// RUN: echo "module attributes {harl.library = 1, transform.with_named_sequence} { transform.named_sequence private @schedule_0a(!transform.any_op {transform.readonly}) }" > %t.schedule.mlir
// RUN: not %harl-opt %s --harl-apply-schedules=library=%t.schedule.mlir 2>&1 | %FileCheck %s --check-prefix=SCHEDULE
// RUN: echo "module attributes {transform.with_named_sequence} { transform.named_sequence @__transform_main(%%op: !transform.any_op {transform.readonly}) { transform.apply_patterns.canonicalization transform.yield } }" > %t.pattern.mlir
// RUN: not %harl-opt %s --harl-apply-schedules=library=%t.pattern.mlir 2>&1 | %FileCheck %s --check-prefix=PATTERN
// RUN: not %harl-opt %s --harl-lower-to-llvm=accuracy=exact 2>&1 | %FileCheck %s --check-prefix=ACCURACY
// A script of somebody's own fails as a whole.
// RUN: not %harl-opt %s --harl-apply-schedules=library=%S/Inputs/failing_script.mlir 2>&1 | %FileCheck %s --check-prefix=SCRIPT

// NO-OPTION: error: harl-apply-schedules needs a schedule library; give library=FILE
// MISSING: nowhere.mlir{{.*}}error: the schedule library cannot be read: {{.*}}; give a file that `harl-mlir tune` wrote
// DIRECTORY: error: the schedule library cannot be read: {{.*}}; give a file that `harl-mlir tune` wrote
// EMPTY: error: the file is empty; give a transform module
// TEXT: text.mlir:1:1: error: not valid MLIR: {{.+}}
// KERNEL: error: no transform.named_sequence @__transform_main is here; give a transform module that has one
// NEWER: error: this schedule library is of version 99 : i64, not 1; tune the kernel again
// ODD: error: this schedule library is of version "one", not 1; tune the kernel again
// DECLARED: error: @__transform_main must have a body that takes one op; write it so
// SCHEDULE: error: @schedule_0a must have a body that takes one op; tune the kernel again
// PATTERN: error: transform.apply_patterns.canonicalization is no step of a transform sequence; take it out, or tune the kernel again
// ACCURACY: Cannot find option named 'exact'
// SCRIPT: failing_script.mlir:4:12: error: the transform script failed: {{.*}}expected to contain 1 payloads but it contains 0

func.func @nothing() {
  return
}
