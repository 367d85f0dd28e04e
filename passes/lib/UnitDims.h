//===- UnitDims.h - Dimensions of size one ----------------------*- C++ -*-===//
//
// torch-mlir leaves one for the row in what stands once for each row. The same as
// `harl_mlir/frontend/unit_dims.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_UNITDIMS_H
#define HARL_LIB_UNITDIMS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace harl {

/// Whether an op, which may be null, puts dimensions in or takes them away.
bool isReshape(mlir::Operation *op);

/// Takes what a chain of reshapes started from where it ends in the same shape.
void foldReshapes(mlir::Operation *op);

/// Drops dimensions of size one that no loop goes along, and loops of one step
/// over what had one put in: `(d0, d1, 0)` becomes `(d0, d1)`.
void dropUnits(mlir::linalg::GenericOp op);

} // namespace harl

#endif // HARL_LIB_UNITDIMS_H
