// With threads the outermost loops run on OpenMP, where threads take iterations of one another; those inside, and
// those that are marked, are ordinary.

// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-lower-to-llvm{threads=2})' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='harl-lower-to-llvm{threads=2}' | %FileCheck %s
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-lower-to-llvm)' | %FileCheck %s --check-prefix=ALONE

// CHECK-LABEL: llvm.func @sums
// CHECK:       omp.parallel num_threads
// CHECK:         omp.wsloop nowait schedule(dynamic, nonmonotonic)
// CHECK:           omp.loop_nest
// CHECK-NOT:     omp.
// CHECK:         omp.yield
// ALONE-LABEL: llvm.func @sums
// ALONE-NOT:   omp.
func.func @sums(%a: memref<8x12xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (8) {
    scf.forall (%j, %k) = (0, 0) to (8, 4) step (4, 1) {
      %l = arith.addi %j, %k : index
      %x = memref.load %a[%i, %l] : memref<8x12xf32>
      %y = arith.addf %x, %one : f32
      memref.store %y, %a[%i, %l] : memref<8x12xf32>
    }
  }
  return
}

// CHECK-LABEL: llvm.func @marked
// CHECK-NOT:   omp.
// CHECK:       llvm.return
func.func @marked(%a: memref<8xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (8) {
    %x = memref.load %a[%i] : memref<8xf32>
    %y = arith.addf %x, %one : f32
    memref.store %y, %a[%i] : memref<8xf32>
  } {harl.alone}
  return
}
