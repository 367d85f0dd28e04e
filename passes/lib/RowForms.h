//===- RowForms.h - One spelling of row operations --------------*- C++ -*-===//
//
// Row operations as torch-mlir spells them, brought into the spelling that tasks
// have: without dead results, without dimensions of size one for the row, with
// products for small powers, and with elementwise ops as part of the ops that
// take their results. But for places of elements in rows with NaNs, no result
// changes. The same as
// `harl_mlir/frontend/{row_forms,arg_max,row_fusion}.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_ROWFORMS_H
#define HARL_LIB_ROWFORMS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace harl {

/// Rewrites a function's row operations; those of a function with branches are
/// left as they are. Under `strict` accuracy elements are found with their places
/// as they were.
void normaliseRows(mlir::func::FuncOp function, bool strict = false);

/// Replaces a generic that finds the rows' greatest elements and their places, if
/// it is one, by reductions that vectors can do; if `strict`, of integers only.
void splitArgMax(mlir::linalg::GenericOp op, bool strict);

/// Makes elementwise ops on rows part of the ops that take their results, from
/// the last to the first.
void fuseRows(mlir::func::FuncOp function);

} // namespace harl

#endif // HARL_LIB_ROWFORMS_H
