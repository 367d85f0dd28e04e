//===- SumSteps.h - What adds to the sums of contractions -------*- C++ -*-===//

#ifndef HARL_SUMSTEPS_H
#define HARL_SUMSTEPS_H

#include "GroupContracts.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/MapVector.h"

#include <vector>

namespace harl {

/// Contractions by their results.
using Found = llvm::MapVector<mlir::Value, GroupContract>;

/// A contraction that adds to sums, or a loop that carries them as its value
/// `number` and what it adds to them.
struct Step {
  GroupContract contract;
  mlir::scf::ForOp loop;
  unsigned number = 0;
  std::vector<Step> steps;

  mlir::Operation *op() {
    return loop ? loop.getOperation() : contract.op.getOperation();
  }
};
using Steps = std::vector<Step>;

/// What was added, in turn, to come to sums, and what to.
struct Way {
  Steps steps;
  mlir::Value start;
};

/// What sums are at last to which nothing but contractions and loops of such
/// has added more.
mlir::Value endOf(mlir::Value value, const Found &found);

/// The way to sums; nothing else uses what is between.
Way wayTo(mlir::Value value, const Found &found);

/// The contractions, and the loops, of steps, those inside of loops too.
llvm::SmallVector<GroupContract> contractsOf(const Steps &steps);
llvm::SmallVector<mlir::scf::ForOp> loopsOf(const Steps &steps);

} // namespace harl

#endif // HARL_SUMSTEPS_H
