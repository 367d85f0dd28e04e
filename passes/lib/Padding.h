//===- Padding.h - The padding of a contraction's operand -------*- C++ -*-===//
//
// A `tensor.pad` as a member of the workload that reads what it pads. The same
// as `harl_mlir/tasks/padding.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_PADDING_H
#define HARL_LIB_PADDING_H

#include "LinalgFacts.h"

#include <optional>

namespace harl {

/// The facts of a `tensor.pad` by one number that one linalg op reads as an
/// input; none of other ops.
std::optional<LinalgFacts> paddingFacts(mlir::Operation *op);

} // namespace harl

#endif // HARL_LIB_PADDING_H
