//===- RowLoops.h - Loops over the vectors of a row -----------------------===//
//
// A port of harl_mlir/codegen/row_loops.py.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_ROWLOOPS_H
#define HARL_LIB_ROWLOOPS_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace harl {

/// What makes the one value that a loop carries, if that is inside.
mlir::Operation *resultOf(mlir::scf::ForOp loop);

/// The operand beside `one` of an op of two.
mlir::Value otherOperand(mlir::Operation *op, mlir::Value one);

/// Whether a value is a constant, or a vector of one, that is this infinity.
bool isInfinity(mlir::Value value, bool negative);

/// The vectors along the rows of which `kept` is what a combiner comes to.
llvm::SmallVector<mlir::Value> reducedTo(mlir::Value kept,
                                         llvm::StringRef combiner,
                                         mlir::vector::CombiningKind kind);

/// Whether two loops of a block go from and to the same numbers by the same
/// step.
bool sameSteps(mlir::scf::ForOp loop, mlir::scf::ForOp other);

/// Whether two loops compute two values alike, `from` in the one where the
/// other has `to`.
bool isSame(mlir::Value value, mlir::Value other, mlir::Value from,
            mlir::Value to);

/// Has a loop that takes the greatest or least of a vector in each step keep
/// those of each lane, and reduce these once (LaneExtrema.cpp).
void keepLanes(mlir::scf::ForOp loop);

/// The numbers, one a row, of which each fills a row of `value`.
mlir::Value spreadFrom(mlir::Value value);

} // namespace harl

#endif
