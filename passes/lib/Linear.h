//===- Linear.h - Indices as sums of multiples of other values ------------===//
//
// As harl_mlir/codegen/linear.py.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_LINEAR_H
#define HARL_LIB_LINEAR_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"

namespace harl {

/// `constant` plus each value times its factor; factors are not zero.
struct Linear {
  int64_t constant = 0;
  llvm::DenseMap<mlir::Value, int64_t> factors;

  int64_t movesWith(mlir::Value value) const { return factors.lookup(value); }
  bool differsInConstant(const Linear &other) const {
    return factors == other.factors;
  }
  bool operator==(const Linear &other) const {
    return constant == other.constant && factors == other.factors;
  }
};

/// An index as a sum; what is neither a sum nor a product with a constant is a
/// value of its own.
Linear linearOf(mlir::Value value);

} // namespace harl

#endif // HARL_LIB_LINEAR_H
