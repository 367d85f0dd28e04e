//===- Fills.h - Fills and empties that several ops share -------*- C++ -*-===//
//
// A port of harl_mlir/frontend/fills.py.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_FILLS_H
#define HARL_FILLS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace harl {

/// Whether an op writes one scalar everywhere.
bool isFill(mlir::Operation *op);

/// Gives each linalg op that takes a shared fill one of its own. A schedule
/// fuses the fill of its op into the op's loops, and with it MLIR gives every
/// later use what comes out of these loops: the next op's fill would be gone.
/// The attribute `mark` stays with the first; an empty name is none.
void partFills(mlir::func::FuncOp function, llvm::StringRef mark);

/// Gives an op a `tensor.empty` of its own in the place of each that others
/// take too.
void ownEmpties(mlir::Operation *op);

/// Gives each linalg op that takes a shared `tensor.empty` one of its own. Where
/// threads share several ops, the result of one would else be put in the place
/// of another's, and be copied for it. The lowering makes equal ones one again.
void partEmpties(mlir::func::FuncOp function);

} // namespace harl

#endif // HARL_FILLS_H
