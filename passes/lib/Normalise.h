//===- Normalise.h - The spelling that tasks have ---------------*- C++ -*-===//
//
// Programs are brought into one spelling before tasks are looked for in them. The
// same as `normalise` in `harl_mlir/frontend/prepare.py`, but for convolutions of
// images with zeros inserted.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_NORMALISE_H
#define HARL_LIB_NORMALISE_H

// Passes that call it depend on these dialects.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace harl {

/// On a fill of what lies around padded elements, which is no task.
inline constexpr llvm::StringLiteral kBorderAttr = "harl.border";

/// Brings a function into the spelling that schedules made under `strict`
/// accuracy, or any other, are for. One with branches is left as it is.
void normalise(mlir::func::FuncOp function, bool strict = false);

/// Makes permutations of what a contraction reads part of its indexing maps, but
/// for operands that a window moves over.
void foldPermutations(mlir::func::FuncOp function);

/// Makes copies of padding and concatenation, and of what is inserted, or
/// returned as a slice, of what the function is given. What is computed for its
/// place, and the padding that a linalg op reads, is left.
void writeCopies(mlir::func::FuncOp function);

} // namespace harl

#endif // HARL_LIB_NORMALISE_H
