//===- Gelu.h - GELU as it is written ---------------------------*- C++ -*-===//

#ifndef HARL_GELU_H
#define HARL_GELU_H

#include "mlir/IR/Operation.h"

#include <optional>

namespace harl {

/// What a function takes the place of, and the function's operand.
struct Gelu {
  llvm::SmallVector<mlir::Operation *> ops;
  llvm::StringRef function;
  mlir::Value argument;
};

/// The ops from `op` on that nothing but a GELU needs: x (1 + erf(x / sqrt(2)))
/// / 2 or, with `byTanh`, its likeness by tanh of sqrt(2 / pi) (x + 0.044715
/// x^3).
std::optional<Gelu> geluAround(mlir::Operation *op, bool byTanh);

/// The same of the exponential in 1 + exp(-x), which nothing else takes.
std::optional<Gelu> expInSigmoid(mlir::Operation *op);

} // namespace harl

#endif // HARL_GELU_H
