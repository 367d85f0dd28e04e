//===- Extrema.h - Reductions to the greatest or least element --*- C++ -*-===//
//
// A part of harl_mlir/frontend/arg_max.py: which combiners there are, what they
// start from, and how an element is compared with what is kept.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_EXTREMA_H
#define HARL_LIB_EXTREMA_H

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace harl {

/// A reduction that keeps what is beyond all others.
struct Extremum {
  /// The name of the op of two that keeps it.
  llvm::StringRef combiner;
  mlir::vector::CombiningKind kind;
  /// The predicate of `arith.cmpf` or `arith.cmpi`.
  int64_t beyond;

  bool isFloat() const;
};

llvm::ArrayRef<Extremum> extrema();

/// The one that an op combines for, or null.
const Extremum *extremumOf(mlir::Operation *combiner);

/// Whether a value is a constant, or a vector of one, that a reduction starts
/// from: no element is before it.
bool isStart(mlir::Value value, const Extremum &extremum);

/// The predicate of a comparison of floats or of integers, whichever
/// `extremum` is of; nothing for other ops.
std::optional<int64_t> predicateOf(mlir::Operation *compare,
                                   const Extremum &extremum);

/// Compares two values, at the insertion point; `isFloat` says by which op.
mlir::Value compared(mlir::OpBuilder &builder, mlir::Location place,
                     bool isFloat, int64_t predicate, mlir::Value left,
                     mlir::Value right);

} // namespace harl

#endif // HARL_LIB_EXTREMA_H
