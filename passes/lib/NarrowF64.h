//===- NarrowF64.h - Rounding of f64 to f16 and bf16 ----------------------===//

#ifndef HARL_LIB_NARROWF64_H
#define HARL_LIB_NARROWF64_H

#include "mlir/IR/Operation.h"

namespace harl {

/// Whether an op rounds f64 to f16 or bf16.
bool narrowsF64(mlir::Operation *op);

/// Rounds f64 to f16 and bf16 by way of f32 rounded to odd, inside `top`. None
/// may be in the body of a named op of linalg.
void narrowInSteps(mlir::Operation *top);

} // namespace harl

#endif // HARL_LIB_NARROWF64_H
