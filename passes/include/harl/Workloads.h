//===- Workloads.h - The tunable ops of a function --------------*- C++ -*-===//
//
// What is tuned as a whole, found in a function as `harl_mlir/tasks` finds it,
// and its key.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_WORKLOADS_H
#define HARL_WORKLOADS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace harl {

/// The attribute on a workload's root that holds its key.
inline constexpr llvm::StringLiteral kWorkloadAttr = "harl.workload";

/// A fusion group of linalg ops that is tuned as a whole.
struct Workload {
  /// The last member, whose result leaves the group.
  mlir::Operation *root;
  /// The op that decides how the group is tuned: the one with a reduction, or
  /// the root.
  mlir::Operation *anchor;
  /// All ops of the group in program order, the fill of the anchor's init
  /// first. A fill may be a member of several workloads.
  llvm::SmallVector<mlir::Operation *> members;
  /// 16 hex digits, equal for equal workloads.
  std::string key;
  /// A short name for people: `matmul 512x512x512 f32 +1`.
  std::string label;
};

/// A linalg op that is left as it is; `reason` completes the sentence
/// "it is not tunable because ...".
struct NotTunable {
  mlir::Operation *op;
  std::string reason;
};

/// All workloads of a function, ordered by root. Only ops on tensors of static
/// shapes are tunable; the other linalg ops go to `left`, if given, in program
/// order. Linear in the size of the function; changes nothing.
llvm::SmallVector<Workload>
findWorkloads(mlir::func::FuncOp function,
              llvm::SmallVectorImpl<NotTunable> *left = nullptr);

/// The workload cut out into a module of its own with one public function
/// `@kernel`, tensors in and out. Every `tensor.empty` and every constant that
/// is one number is copied into it; an init whose old value is not read is a
/// `tensor.empty` too; everything else the ops use becomes an argument, in
/// order of first use. Null, after an error, if the members have changed since
/// they were found. Attributes of these passes are not copied.
mlir::OwningOpRef<mlir::ModuleOp> extractKernel(const Workload &workload);

} // namespace harl

#endif // HARL_WORKLOADS_H
