//===- Workloads.h - The tunable ops of a function --------------*- C++ -*-===//
//
// What is tuned as a whole, found in a function as `harl_mlir/tasks` finds it,
// and its key.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_WORKLOADS_H
#define HARL_WORKLOADS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Operation.h"
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
  /// All ops of the group in program order, fills of the anchor's init first.
  llvm::SmallVector<mlir::Operation *> members;
  /// 16 hex digits, equal for equal workloads.
  std::string key;
  /// A short name for people: `matmul 512x512x512 f32 +1`.
  std::string label;
};

/// All workloads of a function, ordered by root. Ops that are not tunable are
/// left out.
llvm::SmallVector<Workload> findWorkloads(mlir::func::FuncOp function);

} // namespace harl

#endif // HARL_WORKLOADS_H
