// Under approximate accuracy functions become polynomials, GELU as a whole, however its factors are ordered.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-approximate-math)' | %FileCheck %s --check-prefixes=CHECK,PLAIN
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-approximate-math)' | %FileCheck %s --check-prefixes=CHECK,PLAIN
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-approximate-math{avx512=true})' | %FileCheck %s --check-prefixes=CHECK,TABLES
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-approximate-math{avx512=true})' | %FileCheck %s --check-prefixes=CHECK,TABLES
// RUN: %harl-opt %s --harl-lower-to-llvm='accuracy=approximate avx512' | mlir-translate-22 --mlir-to-llvmir | %FileCheck %s --check-prefix=LLVM
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-lower-to-llvm{accuracy=approximate avx512=true})' | mlir-translate-22 --mlir-to-llvmir | %FileCheck %s --check-prefix=LLVM

// The limit beyond which the tail of the normal distribution is taken as zero.
// CHECK-LABEL: func.func @gelu
// PLAIN: arith.constant dense<5.500000e+00> : vector<16xf32>
// TABLES: arith.constant dense<5.68359375> : vector<16xf32>
// TABLES-COUNT-7: call @llvm.x86.avx512.permvar.sf.512(
// CHECK-NOT: math.erf
// CHECK: return
func.func @gelu(%x: vector<16xf32>) -> vector<16xf32> {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %half = arith.constant dense<0.5> : vector<16xf32>
  %root = arith.constant dense<1.41421354> : vector<16xf32>
  %d = arith.divf %x, %root : vector<16xf32>
  %e = math.erf %d : vector<16xf32>
  %s = arith.addf %e, %one : vector<16xf32>
  %h = arith.mulf %s, %half : vector<16xf32>
  %r = arith.mulf %x, %h : vector<16xf32>
  return %r : vector<16xf32>
}

// CHECK-LABEL: func.func @gelu_of_half
// PLAIN: arith.constant 5.500000e+00 : f32
// TABLES: arith.constant 5.68359375 : f32
// CHECK-NOT: math.erf
// CHECK: return
func.func @gelu_of_half(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %half = arith.constant 0.5 : f32
  %root = arith.constant 0.707106769 : f32
  %d = arith.mulf %root, %x : f32
  %e = math.erf %d : f32
  %s = arith.addf %one, %e : f32
  %h = arith.mulf %half, %x : f32
  %r = arith.mulf %s, %h : f32
  return %r : f32
}

// Not of x: the error function, whose parts meet at 0.9375.
// CHECK-LABEL: func.func @of_another
// CHECK: arith.constant 9.375000e-01 : f32
// CHECK-NOT: math.erf
// CHECK: return
func.func @of_another(%x: f32, %y: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %half = arith.constant 0.5 : f32
  %root = arith.constant 1.41421354 : f32
  %d = arith.divf %x, %root : f32
  %e = math.erf %d : f32
  %s = arith.addf %e, %one : f32
  %h = arith.mulf %s, %half : f32
  %r = arith.mulf %y, %h : f32
  return %r : f32
}

// CHECK-LABEL: func.func @through_single
// CHECK: arith.extf %{{.*}} : vector<4xbf16> to vector<4xf32>
// CHECK-NOT: math.exp
// CHECK: arith.truncf %{{.*}} : vector<4xf32> to vector<4xbf16>
func.func @through_single(%x: vector<4xbf16>) -> vector<4xbf16> {
  %e = math.exp %x : vector<4xbf16>
  return %e : vector<4xbf16>
}

// CHECK-LABEL: func.func @left
// CHECK: math.exp %{{.*}} : f64
// CHECK: math.sin %{{.*}} : f32
func.func @left(%x: f64, %y: f32) -> (f64, f32) {
  %e = math.exp %x : f64
  %s = math.sin %y : f32
  return %e, %s : f64, f32
}

// Its likeness by tanh is one where numbers are looked up; otherwise tanh's parts meet at 0.625.
// CHECK-LABEL: func.func @gelu_by_tanh
// PLAIN: arith.constant 6.250000e-01 : f32
// PLAIN-NOT: math.tanh
// TABLES: arith.constant 5.2734375 : f32
// TABLES-NOT: math.tanh
// TABLES-NOT: 4.471500e-02
// CHECK: return
func.func @gelu_by_tanh(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %half = arith.constant 0.5 : f32
  %scale = arith.constant 0.797884583 : f32
  %cube = arith.constant 4.471500e-02 : f32
  %three = arith.constant 3 : i32
  %p = math.fpowi %x, %three : f32, i32
  %a = arith.mulf %cube, %p : f32
  %b = arith.addf %a, %x : f32
  %t = arith.mulf %b, %scale : f32
  %e = math.tanh %t : f32
  %s = arith.addf %e, %one : f32
  %h = arith.mulf %x, %half : f32
  %r = arith.mulf %h, %s : f32
  return %r : f32
}

// By the processor's instructions for registers where they are there; otherwise exponents are shifted.
// CHECK-LABEL: func.func @rows
// PLAIN: arith.shli
// TABLES-COUNT-4: call @llvm.x86.avx512.permvar.sf.512(
// TABLES-COUNT-4: call @llvm.x86.avx512.mask.scalef.ps.512(
// CHECK-NOT: math.exp
// CHECK: return
// LLVM-LABEL: @rows
// LLVM-COUNT-4: call <16 x float> @llvm.x86.avx512.mask.scalef.ps.512(<16 x float> {{.*}}, i16 -1, i32 4)
// LLVM: ret
func.func @rows(%x: vector<2x32xf32>) -> vector<2x32xf32> {
  %e = math.exp %x : vector<2x32xf32>
  return %e : vector<2x32xf32>
}

// The same of a part of a register.
// CHECK-LABEL: func.func @part
// PLAIN: arith.shli
// TABLES-COUNT-2: call @llvm.x86.avx512.mask.scalef.ps.512(
// TABLES: vector.shuffle {{.*}} : vector<32xf32>, vector<32xf32>
// LLVM-LABEL: @part
// LLVM-COUNT-2: call <16 x float> @llvm.x86.avx512.mask.scalef.ps.512(
// LLVM: ret
func.func @part(%x: vector<24xf32>) -> vector<24xf32> {
  %e = math.exp %x : vector<24xf32>
  return %e : vector<24xf32>
}

// Of an exponential that only 1 + exp(-x) takes the power is put together by adding to exponents.
// CHECK-LABEL: func.func @sigmoid
// TABLES-NOT: scalef
// TABLES: call @llvm.x86.avx512.permvar.sf.512(
// TABLES: arith.shli
// TABLES-NOT: scalef
// CHECK-NOT: math.exp
// CHECK: arith.divf
func.func @sigmoid(%x: vector<16xf32>) -> vector<16xf32> {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %m = arith.negf %x : vector<16xf32>
  %e = math.exp %m : vector<16xf32>
  %s = arith.addf %e, %one : vector<16xf32>
  %r = arith.divf %one, %s : vector<16xf32>
  return %r : vector<16xf32>
}

// Not where the exponential itself is taken, or another number is added to it.
// CHECK-LABEL: func.func @exp_taken
// TABLES-COUNT-2: call @llvm.x86.avx512.mask.scalef.ps.512(
// CHECK: return
func.func @exp_taken(%x: vector<16xf32>) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  %one = arith.constant dense<1.0> : vector<16xf32>
  %small = arith.constant dense<1.0e-9> : vector<16xf32>
  %m = arith.negf %x : vector<16xf32>
  %e = math.exp %m : vector<16xf32>
  %s = arith.addf %e, %one : vector<16xf32>
  %n = arith.negf %s : vector<16xf32>
  %f = math.exp %n : vector<16xf32>
  %t = arith.addf %f, %small : vector<16xf32>
  return %e, %s, %t : vector<16xf32>, vector<16xf32>, vector<16xf32>
}
