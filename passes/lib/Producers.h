//===- Producers.h - What makes an operand of a contraction -----*- C++ -*-===//
//
// Elementwise groups whose result a contraction alone takes join its group. The
// same as `harl_mlir/tasks/{producers,producer_groups}.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_PRODUCERS_H
#define HARL_LIB_PRODUCERS_H

#include "Grouping.h"

namespace harl {

/// The groups, ordered by root, contractions' with those of their producers.
std::vector<Group> joinProducers(llvm::ArrayRef<Node> nodes,
                                 std::vector<Group> groups);

} // namespace harl

#endif // HARL_LIB_PRODUCERS_H
