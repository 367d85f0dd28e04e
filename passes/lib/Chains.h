//===- Chains.h - Products and row operations on them -----------*- C++ -*-===//
//
// Products and row operations on their results that share the loops over rows,
// as the scores, the softmax and the second product of an attention do. The same
// as `chain_of` in `harl_mlir/tasks/chain.py` and what joins groups to chains in
// `harl_mlir/tasks/chain_groups.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_CHAINS_H
#define HARL_LIB_CHAINS_H

#include "Grouping.h"

namespace harl {

/// Whether a body is `init + a * b`, widening casts of `a` and `b` allowed.
bool isMultiplyAdd(const LinalgFacts &op);

/// The groups, ordered by root, with those that make a chain joined.
std::vector<Group> joinChains(llvm::ArrayRef<Node> nodes,
                              std::vector<Group> groups);

} // namespace harl

#endif // HARL_LIB_CHAINS_H
