// Where the processor is not known to have instructions for it, bf16 is computed in f32 and rounded by integer
// operations; a module without bf16 stays as it is.
// REQUIRES: passes

// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-expand-bf16)' --split-input-file | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm --split-input-file | %FileCheck %s --check-prefix=LOWERED
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-lower-to-llvm)' | %FileCheck %s --check-prefix=LOWERED
// RUN: %harl-opt %s --harl-lower-to-llvm=bf16-dots --split-input-file | %FileCheck %s --check-prefix=KNOWN

// CHECK-LABEL: func.func @sum(
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK-NOT: arith.truncf {{.*}}bf16
// CHECK: arith.trunci {{.*}} : vector<16xi32> to vector<16xi16>
// LOWERED-LABEL: llvm.func @sum
// LOWERED-NOT: fptrunc
// KNOWN-LABEL: llvm.func @sum
// KNOWN: llvm.fadd {{.*}} : vector<16xbf16>
// KNOWN: llvm.fptrunc {{.*}} : vector<16xf32> to vector<16xbf16>
func.func @sum(%x: vector<16xbf16>, %y: vector<16xf32>) -> (vector<16xbf16>, vector<16xbf16>) {
  %s = arith.addf %x, %x : vector<16xbf16>
  %r = arith.truncf %y : vector<16xf32> to vector<16xbf16>
  return %s, %r : vector<16xbf16>, vector<16xbf16>
}

// -----

// CHECK-LABEL: func.func @greatest(
// CHECK: arith.maximumf
func.func @greatest(%x: vector<16xf32>) -> vector<16xf32> {
  %s = arith.maximumf %x, %x : vector<16xf32>
  return %s : vector<16xf32>
}
