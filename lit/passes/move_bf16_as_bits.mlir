// Where numbers of bf16 go into vectors or out of them one by one they are moved as i16; elsewhere they are not.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-move-bf16-as-bits)' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-move-bf16-as-bits)' | %FileCheck %s

// CHECK-LABEL: llvm.func @moved
// CHECK: %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<4xi16>
// CHECK: %[[E:.*]] = llvm.extractelement %[[X]][%{{.*}} : i32] : vector<4xi16>
// CHECK: llvm.cond_br %{{.*}}, ^[[NEXT:.*]](%[[E]] : i16), ^[[NEXT]](%{{.*}} : i16)
// CHECK: ^[[NEXT]](%[[F:.*]]: i16):
// CHECK: %[[Y:.*]] = llvm.mlir.poison : vector<2xi16>
// CHECK: %[[Z:.*]] = llvm.insertelement %[[F]], %[[Y]][%{{.*}} : i32] : vector<2xi16>
// CHECK: llvm.store %[[Z]], %{{.*}} : vector<2xi16>, !llvm.ptr
llvm.func @moved(%a: !llvm.ptr, %b: !llvm.ptr, %c: i1) {
  %i = llvm.mlir.constant(1 : i32) : i32
  %x = llvm.load %a : !llvm.ptr -> vector<4xbf16>
  %e = llvm.extractelement %x[%i : i32] : vector<4xbf16>
  %s = llvm.load %a : !llvm.ptr -> bf16
  llvm.cond_br %c, ^next(%e : bf16), ^next(%s : bf16)
^next(%f: bf16):
  %y = llvm.mlir.poison : vector<2xbf16>
  %z = llvm.insertelement %f, %y[%i : i32] : vector<2xbf16>
  llvm.store %z, %b : vector<2xbf16>, !llvm.ptr
  llvm.return
}

// What computes takes and makes bf16.
// CHECK-LABEL: llvm.func @computed
// CHECK-SAME: %{{.*}}: !llvm.ptr, %[[N:.*]]: bf16
// CHECK: %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<4xi16>
// CHECK: %[[XF:.*]] = llvm.bitcast %[[X]] : vector<4xi16> to vector<4xbf16>
// CHECK: %[[W:.*]] = llvm.fpext %[[XF]] : vector<4xbf16> to vector<4xf32>
// CHECK: %[[R:.*]] = llvm.fptrunc %[[W]] : vector<4xf32> to vector<4xbf16>
// CHECK-DAG: %[[RB:.*]] = llvm.bitcast %[[R]] : vector<4xbf16> to vector<4xi16>
// CHECK-DAG: %[[NB:.*]] = llvm.bitcast %[[N]] : bf16 to i16
// CHECK: %[[S:.*]] = llvm.insertelement %[[NB]], %[[RB]][%{{.*}} : i32] : vector<4xi16>
// CHECK: llvm.store %[[S]], %{{.*}} : vector<4xi16>, !llvm.ptr
llvm.func @computed(%a: !llvm.ptr, %n: bf16) {
  %i = llvm.mlir.constant(1 : i32) : i32
  %x = llvm.load %a : !llvm.ptr -> vector<4xbf16>
  %w = llvm.fpext %x : vector<4xbf16> to vector<4xf32>
  %r = llvm.fptrunc %w : vector<4xf32> to vector<4xbf16>
  %s = llvm.insertelement %n, %r[%i : i32] : vector<4xbf16>
  llvm.store %s, %a : vector<4xbf16>, !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @whole
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> vector<4xbf16>
// CHECK: llvm.store %{{.*}}, %{{.*}} : vector<4xbf16>, !llvm.ptr
llvm.func @whole(%a: !llvm.ptr, %b: !llvm.ptr) {
  %x = llvm.load %a : !llvm.ptr -> vector<4xbf16>
  llvm.store %x, %b : vector<4xbf16>, !llvm.ptr
  llvm.return
}
