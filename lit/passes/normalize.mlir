// Brought into the spelling that schedules are for, a program is matched by plain mlir-opt: a row operation of more
// elementwise ops than a task of that kind has, and a concatenation, which is no linalg op.
//
// REQUIRES: passes
// RUN: cat %s %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir > %t.lib.mlir
// RUN: %mlir-opt %t.mlir --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   -o %t.alone.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=ALONE --allow-empty < %t.remarks
// RUN: %mlir-opt %t.mlir --load-pass-plugin=%plugin --pass-pipeline='builtin.module(func.func(harl-normalize), \
// RUN:   transform-preload-library{transform-library-paths=%t.lib.mlir},transform-interpreter)' \
// RUN:   -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='func.func(harl-normalize)' | %FileCheck %s --check-prefix=NORMAL
// RUN: %harl-opt %t.mlir --pass-pipeline='builtin.module(func.func(harl-normalize{strict=true}))' \
// RUN:   | %FileCheck %s --check-prefix=NORMAL
// RUN: %harl-opt %t.mlir --pass-pipeline='builtin.module(harl-apply-schedules{library=%t.lib.mlir})' | %FileCheck %s
// RUN: %harl-opt %t.tuned.mlir --harl-lower-to-llvm -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-opt %t.mlir --harl-lower-to-llvm -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS

// ALONE-NOT: matched by

// REMARK-COUNT-4: remark: matched by
// REMARK-NOT: remark: matched by

// CHECK-LABEL: func.func @rows
// CHECK: scf.forall (
// CHECK-NOT: scf.forall (
// CHECK-NOT: linalg.
// CHECK: return
// CHECK-LABEL: func.func @joined
// CHECK-NOT: tensor.concat
// CHECK: vector.transfer_write
// CHECK-NOT: linalg.
// CHECK: return
// CHECK-LABEL: func.func @padded
// CHECK-COUNT-3: linalg.fill
// CHECK-NOT: linalg.
// CHECK: vector.transfer_write
// CHECK: return

// NORMAL-LABEL: func.func @rows
// NORMAL-COUNT-4: linalg.generic
// NORMAL-NOT: linalg.generic
// NORMAL-LABEL: func.func @joined
// NORMAL-COUNT-2: linalg.copy
// NORMAL-NOT: tensor.concat
// NORMAL: return
// NORMAL-LABEL: func.func @padded
// NORMAL-COUNT-3: linalg.fill {harl.border}
// NORMAL: linalg.copy
// NORMAL-NOT: tensor.pad
// NORMAL: return

#all = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func @rows(%x: tensor<24x40xf32>) -> tensor<24x40xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant -1000.0 : f32
  %e = tensor.empty() : tensor<24x40xf32>
  %er = tensor.empty() : tensor<24xf32>
  %fm = linalg.fill ins(%least : f32) outs(%er : tensor<24xf32>) -> tensor<24xf32>
  %m = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<24x40xf32>) outs(%fm : tensor<24xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.maximumf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<24xf32>
  %n = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<24x40xf32>, tensor<24xf32>) outs(%e : tensor<24x40xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.subf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<24x40xf32>
  %d = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]}
      ins(%n : tensor<24x40xf32>) outs(%e : tensor<24x40xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.absf %p : f32
    linalg.yield %r : f32
  } -> tensor<24x40xf32>
  %fs = linalg.fill ins(%zero : f32) outs(%er : tensor<24xf32>) -> tensor<24xf32>
  %s = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%d : tensor<24x40xf32>) outs(%fs : tensor<24xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.addf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<24xf32>
  %y = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%d, %s : tensor<24x40xf32>, tensor<24xf32>) outs(%e : tensor<24x40xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<24x40xf32>
  return %y : tensor<24x40xf32>
}

func.func @joined(%x: tensor<24x40xf32>, %y: tensor<24x40xf32>) -> tensor<24x80xf32> {
  %r = tensor.concat dim(1) %x, %y : (tensor<24x40xf32>, tensor<24x40xf32>) -> tensor<24x80xf32>
  return %r : tensor<24x80xf32>
}

func.func @padded(%x: tensor<24x80xf32>) -> tensor<27x81xf32> {
  %z = arith.constant 2.0 : f32
  %r = tensor.pad %x low[1, 0] high[2, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %z : f32
  } : tensor<24x80xf32> to tensor<27x81xf32>
  return %r : tensor<27x81xf32>
}

// NUMBERS: {{^}}2453003406354565066{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %x = tensor.generate {
  ^bb0(%i: index, %j: index):
    %v = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %v : f32
  } : tensor<24x40xf32>
  %y = func.call @rows(%x) : (tensor<24x40xf32>) -> tensor<24x40xf32>
  %z = func.call @joined(%x, %y) : (tensor<24x40xf32>, tensor<24x40xf32>) -> tensor<24x80xf32>
  %p = func.call @padded(%z) : (tensor<24x80xf32>) -> tensor<27x81xf32>
  %r = tensor.cast %p : tensor<27x81xf32> to tensor<?x?xf32>
  %hash = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
