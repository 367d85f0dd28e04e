//===- GroupContracts.h - Contractions of groups of numbers -----*- C++ -*-===//
//
// `vector.contract`s as the schedules of dot products leave them:
// `C[n] += A[p] * B[n, p]` for one group of steps `p`, of two bf16 into f32 or
// of four i8 into i32. As harl_mlir/codegen/group_contracts.py has them.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_GROUPCONTRACTS_H
#define HARL_GROUPCONTRACTS_H

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace harl {

/// A vector of narrow numbers that are widened: which operand comes of it, and
/// whether they are signed.
struct Factor {
  unsigned operand;
  mlir::Value value;
  bool isSigned = true;

  mlir::VectorType type() const {
    return llvm::cast<mlir::VectorType>(value.getType());
  }
};

/// A contraction of the group that all lanes share with the groups of all
/// lanes.
struct GroupContract {
  mlir::vector::ContractionOp op;
  Factor shared, groups;

  mlir::Type element() const { return groups.type().getElementType(); }
  /// Whether all numbers are signed, for which there is no instruction.
  bool isSigned() const {
    return element().isInteger(8) && shared.isSigned && groups.isSigned;
  }
};

/// Those in an op whose factors have an element type that is `wanted`, in
/// program order.
llvm::SmallVector<GroupContract>
groupContracts(mlir::Operation *root,
               llvm::function_ref<bool(mlir::Type)> wanted);

/// Rewrites contractions of signed groups into those of unsigned with signed
/// ones; those whose lanes' numbers cannot be read ahead stay as they are.
void unsignGroups(mlir::Operation *root);

} // namespace harl

#endif // HARL_GROUPCONTRACTS_H
