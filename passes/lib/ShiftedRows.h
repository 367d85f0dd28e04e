//===- ShiftedRows.h - Rows that begin anywhere in a line -------*- C++ -*-===//

#ifndef HARL_SHIFTEDROWS_H
#define HARL_SHIFTEDROWS_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace harl {

/// Have loops along rows inside a loop begin with whole lines of what they
/// write. Those of elementwise arithmetic, of one result in vectors of whole
/// lines, whose rows are not known to begin lines. Returns their writes, which
/// are then of whole lines.
llvm::SmallVector<mlir::vector::TransferWriteOp>
shiftRows(mlir::scf::ForOp loop);

} // namespace harl

#endif // HARL_SHIFTEDROWS_H
