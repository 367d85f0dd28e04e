//===- NumberedOps.h - Ops that are found again -----------------*- C++ -*-===//

#ifndef HARL_NUMBEREDOPS_H
#define HARL_NUMBEREDOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

namespace harl {

/// A linalg op's number.
inline constexpr llvm::StringLiteral kOpAttr = "harl.op";

/// Removes what this project marks ops with, but for what the lowering reads.
void removeOurs(mlir::Operation *op);

/// An op's number, or -1.
int64_t numberOf(mlir::Operation *op);

/// The linalg ops of a function by number, which they carry as an attribute. A
/// schedule may erase, replace or copy any of them, even the function: only ops
/// that are where they were count; what tiling puts into loops carries copies of
/// the attributes.
class NumberedOps {
public:
  /// Numbers a function's linalg ops, from 0.
  void number(mlir::func::FuncOp function);

  /// Gives an op the next number.
  void add(mlir::Operation *op);

  unsigned size() const { return seen.size(); }

  /// Where the op of a number was written.
  mlir::Location getPlace(int64_t number) const { return seen[number].place; }

  /// The ops of `function` that are where they were, by number.
  const llvm::DenseMap<int64_t, mlir::Operation *> &
  inPlace(mlir::func::FuncOp function);

  /// To be called before the next look where a schedule has been at work.
  void forgetPlaces() { placedIsValid = false; }

  /// To be called where another op has taken that place.
  void replaced(int64_t number) { placed.erase(number); }

  /// Removes the numbers, and what schedules have marked ops with that they made.
  /// What is where it was keeps the attributes it came with.
  void remove(mlir::func::FuncOp function, bool wasScheduled) const;

private:
  /// A linalg op as it was.
  struct Seen {
    mlir::Location place;
    mlir::SmallVector<mlir::Type> types;
  };

  mlir::SmallVector<Seen> seen;
  llvm::DenseMap<int64_t, mlir::Operation *> placed;
  bool placedIsValid = false;
};

/// Erases what tiling leaves behind: ops it has replaced are unused, and use
/// others.
void eraseDead(mlir::func::FuncOp function);

} // namespace harl

#endif // HARL_NUMBEREDOPS_H
