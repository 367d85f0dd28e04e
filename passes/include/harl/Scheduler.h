//===- Scheduler.h - Applying a schedule library to a function --*- C++ -*-===//

#ifndef HARL_SCHEDULER_H
#define HARL_SCHEDULER_H

#include "harl/NumberedOps.h"
#include "harl/ScheduleLibrary.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringSet.h"

namespace harl {

/// Numbers the functions of a module that have a body, from 0; says how many
/// there are.
int64_t numberFunctions(mlir::ModuleOp module);

/// Applies a library to one function, by key first and by matchers then, and
/// says in remarks what became of its ops.
///
/// A schedule that was found by key is applied to a copy of its task. If that
/// fails, it may be that it wants to see the task's neighbours, and it is tried
/// in the function itself; so is one that was found by matchers, which do not
/// tell the task's ops. Such a schedule may erase, replace or copy any op of
/// the function, even the function: between two schedules no pointers are kept
/// but numbers (`NumberedOps`).
class FunctionScheduler {
public:
  /// The function is that of the number in the module (`numberFunctions`).
  FunctionScheduler(mlir::ModuleOp module, int64_t number,
                    const ScheduleLibrary &library);

  /// Gives how many schedules were applied.
  unsigned run();

private:
  /// A schedule to be applied to an op; `members` are those of its task, the
  /// root last, or none if they are not known.
  struct Job {
    int64_t root;
    const Schedule *schedule;
    mlir::SmallVector<int64_t> members;
  };

  void applyByKey(bool again);
  void applyByMatchers();
  bool matches(mlir::Operation *op, const Schedule &schedule);

  /// Applies a schedule, or leaves the function as it was; says which.
  void attempt(const Job &job);
  mlir::LogicalResult applyToCopy(const Job &job);
  mlir::LogicalResult applyInPlace(const Job &job, std::string &reason);
  mlir::LogicalResult applyInPlace(mlir::Operation *root,
                                   const Schedule &schedule);
  void putBack(mlir::func::FuncOp copy);
  mlir::func::FuncOp relocate();

  /// The op of a number, if it is where it was.
  mlir::Operation *find(int64_t number);
  void tellLeft();

  mlir::ModuleOp module;
  int64_t functionNumber;
  mlir::func::FuncOp function;
  const ScheduleLibrary &library;
  NumberedOps ops;
  /// Keys whose schedules fail in this function.
  llvm::StringSet<> failing;
  bool someGone = false;
  unsigned scheduled = 0;
};

} // namespace harl

#endif // HARL_SCHEDULER_H
