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

/// The paddings of what a contraction reads, by operand: members of its workload,
/// before all others.
std::vector<Node> paddingsOf(llvm::ArrayRef<Node> nodes, const Group &group);

} // namespace harl

#endif // HARL_LIB_PRODUCERS_H
