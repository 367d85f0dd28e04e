// Numbers of i1 are loaded and stored as bytes: of i1 LLVM vectorises no loop.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-move-single-masks-as-bytes)' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-move-single-masks-as-bytes)' | %FileCheck %s

// CHECK-LABEL: llvm.func @not(
// CHECK: %[[BYTE:.*]] = llvm.load %arg0 {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK: %[[ZERO:.*]] = llvm.mlir.constant(0 : i8) : i8
// CHECK: %[[BIT:.*]] = llvm.icmp "ne" %[[BYTE]], %[[ZERO]] : i8
// CHECK: %[[NOT:.*]] = llvm.xor %[[BIT]], %{{.*}} : i1
// CHECK: %[[WIDE:.*]] = llvm.zext %[[NOT]] : i1 to i8
// CHECK: llvm.store %[[WIDE]], %arg1 {alignment = 1 : i64} : i8, !llvm.ptr
llvm.func @not(%a: !llvm.ptr, %b: !llvm.ptr) {
  %t = llvm.mlir.constant(true) : i1
  %x = llvm.load %a {alignment = 1 : i64} : !llvm.ptr -> i1
  %y = llvm.xor %x, %t : i1
  llvm.store %y, %b {alignment = 1 : i64} : i1, !llvm.ptr
  llvm.return
}
