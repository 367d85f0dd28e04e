// Vectors of 9, 17, 25, ... bf16, which LLVM cannot compile, get seven lanes more; others are left.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-pad-bf16-vectors)' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-pad-bf16-vectors)' | %FileCheck %s

// CHECK-NOT: vector<17xbf16>
// CHECK-NOT: vector<9xbf16>

// Read and written in two parts.
// CHECK-LABEL: llvm.func @sum
// CHECK: %[[MOST:.*]] = llvm.load %arg0 {alignment = 2 : i64} : !llvm.ptr -> vector<16xbf16>
// CHECK: %[[REST:.*]] = llvm.getelementptr %arg0[9] : (!llvm.ptr) -> !llvm.ptr, bf16
// CHECK: %[[LAST:.*]] = llvm.load %[[REST]] {alignment = 2 : i64} : !llvm.ptr -> vector<8xbf16>
// CHECK: %[[WHOLE:.*]] = llvm.shufflevector {{.*}} [0, 1, {{.*}}, 15, 31, -1, -1, -1, -1, -1, -1, -1] : vector<24xbf16>
// CHECK: %[[SUM:.*]] = llvm.fadd %[[WHOLE]], %[[WHOLE]] : vector<24xbf16>
// CHECK: llvm.store {{.*}}, %arg1 {alignment = 2 : i64} : vector<16xbf16>, !llvm.ptr
// CHECK: llvm.store {{.*}} {alignment = 2 : i64} : vector<8xbf16>, !llvm.ptr
llvm.func @sum(%a: !llvm.ptr, %b: !llvm.ptr) {
  %x = llvm.load %a {alignment = 2 : i64} : !llvm.ptr -> vector<17xbf16>
  %s = llvm.fadd %x, %x : vector<17xbf16>
  llvm.store %s, %b {alignment = 2 : i64} : vector<17xbf16>, !llvm.ptr
  llvm.return
}

// Vectors of other elements are as long where they meet bf16.
// CHECK-LABEL: llvm.func @others
// CHECK: llvm.fcmp "ogt" {{.*}} : vector<16xbf16>
// CHECK: llvm.shufflevector {{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 8] : vector<16xi1>
// CHECK: llvm.select {{.*}} : vector<16xi1>, vector<16xbf16>
// CHECK: llvm.fpext {{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<9xf32>, !llvm.ptr
llvm.func @others(%a: !llvm.ptr, %b: !llvm.ptr) {
  %zero = llvm.mlir.constant(dense<0.0> : vector<9xbf16>) : vector<9xbf16>
  %x = llvm.load %a : !llvm.ptr -> vector<9xbf16>
  %c = llvm.fcmp "ogt" %x, %zero : vector<9xbf16>
  %r = llvm.select %c, %x, %zero : vector<9xi1>, vector<9xbf16>
  %w = llvm.fpext %r : vector<9xbf16> to vector<9xf32>
  llvm.store %w, %b : vector<9xf32>, !llvm.ptr
  llvm.return
}

// No lane that was added is read, written or counted.
// CHECK-LABEL: llvm.func @edges
// CHECK: %[[NONE:.*]] = llvm.mlir.constant(dense<false> : vector<17xi1>)
// CHECK: %[[MASK:.*]] = llvm.shufflevector %arg1, %[[NONE]] [0, {{.*}}, 16, 17, 17, 17, 17, 17, 17, 17] : vector<17xi1>
// CHECK: llvm.intr.masked.load %arg0, %[[MASK]]
// CHECK: llvm.shufflevector {{.*}} [0, 1, {{.*}}, 16, 24, 25, {{.*}}, 40, -1] : vector<24xbf16>
// CHECK: llvm.mlir.constant(dense<-0.000000e+00> : vector<24xbf16>)
// CHECK: llvm.shufflevector {{.*}} [0, {{.*}}, 16, 24, 24, 24, 24, 24, 24, 24] : vector<24xbf16>
// CHECK: "llvm.intr.vector.reduce.fadd"
// CHECK-SAME: vector<24xbf16>
// CHECK: llvm.shufflevector {{.*}} [0, {{.*}}, 16, 0, 0, 0, 0, 0, 0, 0] : vector<24xbf16>
// CHECK: llvm.intr.vector.reduce.fmaximum
llvm.func @edges(%a: !llvm.ptr, %mask: vector<17xi1>, %start: bf16, %b: !llvm.ptr) -> bf16 {
  %none = llvm.mlir.poison : vector<17xbf16>
  %x = llvm.intr.masked.load %a, %mask, %none {alignment = 2 : i32} : (!llvm.ptr, vector<17xi1>, vector<17xbf16>) -> vector<17xbf16>
  %two = llvm.shufflevector %x, %x [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, -1] : vector<17xbf16>
  llvm.store %two, %b : vector<35xbf16>, !llvm.ptr
  %s = "llvm.intr.vector.reduce.fadd"(%start, %x) <{fastmathFlags = #llvm.fastmath<none>}> : (bf16, vector<17xbf16>) -> bf16
  %m = llvm.intr.vector.reduce.fmaximum(%x) : (vector<17xbf16>) -> bf16
  %r = llvm.fadd %s, %m : bf16
  llvm.return %r : bf16
}

// CHECK-LABEL: llvm.func @carried
// CHECK: ^bb1(%{{.*}}: i64, %{{.*}}: vector<24xbf16>, %{{.*}}: !llvm.array<2 x vector<24xbf16>>)
llvm.func @carried(%a: !llvm.ptr, %n: i64) {
  %one = llvm.mlir.constant(1 : i64) : i64
  %zero = llvm.mlir.constant(dense<0.0> : vector<17xbf16>) : vector<17xbf16>
  %both = llvm.mlir.constant(dense<0.0> : vector<2x17xbf16>) : !llvm.array<2 x vector<17xbf16>>
  llvm.br ^bb1(%n, %zero, %both : i64, vector<17xbf16>, !llvm.array<2 x vector<17xbf16>>)
^bb1(%i: i64, %x: vector<17xbf16>, %held: !llvm.array<2 x vector<17xbf16>>):
  %first = llvm.extractvalue %held[0] : !llvm.array<2 x vector<17xbf16>>
  %y = llvm.fadd %x, %first : vector<17xbf16>
  %next = llvm.insertvalue %y, %held[1] : !llvm.array<2 x vector<17xbf16>>
  %j = llvm.sub %i, %one : i64
  %more = llvm.icmp "ne" %j, %one : i64
  llvm.cond_br %more, ^bb1(%j, %y, %next : i64, vector<17xbf16>, !llvm.array<2 x vector<17xbf16>>), ^bb2
^bb2:
  llvm.store %y, %a : vector<17xbf16>, !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @left
// CHECK: llvm.fadd {{.*}} : vector<18xbf16>
// CHECK: llvm.fadd {{.*}} : vector<17xf16>
// CHECK: llvm.fadd {{.*}} : vector<1xbf16>
llvm.func @left(%a: !llvm.ptr) {
  %x = llvm.load %a : !llvm.ptr -> vector<18xbf16>
  %p = llvm.fadd %x, %x : vector<18xbf16>
  llvm.store %p, %a : vector<18xbf16>, !llvm.ptr
  %y = llvm.load %a : !llvm.ptr -> vector<17xf16>
  %q = llvm.fadd %y, %y : vector<17xf16>
  llvm.store %q, %a : vector<17xf16>, !llvm.ptr
  %z = llvm.load %a : !llvm.ptr -> vector<1xbf16>
  %r = llvm.fadd %z, %z : vector<1xbf16>
  llvm.store %r, %a : vector<1xbf16>, !llvm.ptr
  llvm.return
}
