//===- LinePieces.h - Vectors of several cache lines ------------*- C++ -*-===//

#ifndef HARL_LINEPIECES_H
#define HARL_LINEPIECES_H

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace harl {

/// Take the vectors of one dimension in a loop that reads a buffer at several
/// places apart that are of several lines, all of them or none.
void cutIntoLines(mlir::scf::ForOp loop);

/// Whether a vector is a constant or made of one number.
bool hasSameLanes(mlir::Value value);

} // namespace harl

#endif // HARL_LINEPIECES_H
