//===- TaskCopy.h - A task in a function of its own -------------*- C++ -*-===//

#ifndef HARL_TASKCOPY_H
#define HARL_TASKCOPY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SmallVector.h"

namespace harl {

/// Copies of the members of a task, in a function of a module of its own, with
/// the constants and empty tensors they use; what else they use are arguments.
///
/// A schedule that is applied to the copy cannot harm the program, and takes
/// the time that the task takes: MLIR's transforms now and then look at, or
/// print, the whole function they work in.
class TaskCopy {
public:
  /// `members` are in program order, in one block; the last is the root, the
  /// only one whose results are used elsewhere but for members that others
  /// share.
  explicit TaskCopy(llvm::ArrayRef<mlir::Operation *> members);

  mlir::Operation *getRoot() const { return root; }
  mlir::ModuleOp getModule() const { return *module; }

  /// Puts what has become of the copy in the place of the root, and erases the
  /// root and the members that nothing uses any more, which are returned (not
  /// to be looked into). Fails, and changes nothing, if the copy is no function
  /// of that kind any more.
  mlir::FailureOr<llvm::SmallVector<mlir::Operation *>> putBack();

private:
  llvm::SmallVector<mlir::Operation *> members;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// What the arguments stand for.
  llvm::SmallVector<mlir::Value> captured;
  mlir::Operation *root = nullptr;
};

} // namespace harl

#endif // HARL_TASKCOPY_H
