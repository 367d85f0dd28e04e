//===- WideSums.h - Sums of narrow numbers kept in f32 ----------*- C++ -*-===//

#ifndef HARL_WIDESUMS_H
#define HARL_WIDESUMS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace harl {

/// Keeps a function's sums of f16 or bf16 in f32, and rounds them once to what
/// they are of; a function with branches is left as it is. Not for `strict`
/// accuracy: fewer roundings are other bits. The same as
/// `harl_mlir/frontend/wide_sums.py`.
void widenSums(mlir::func::FuncOp function);

} // namespace harl

#endif // HARL_WIDESUMS_H
