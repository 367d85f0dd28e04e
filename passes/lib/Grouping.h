//===- Grouping.h - Fusion groups of linalg ops -----------------*- C++ -*-===//
//
// A group is an anchor (an op with a reduction loop), the fill of its init, and
// the chain of elementwise ops that take its result one after the other; or,
// without an anchor, a chain of elementwise ops. Every value inside such a group
// has one use. Or it is a row operation: all ops over the same rows that a root
// needs and nothing else uses, of which one at least reduces the rows and several
// go along them. Or it is a chain of such groups (Chains.h). Elementwise groups
// that make an operand of a contraction are of its group (Producers.h). The same
// groups as `harl_mlir/tasks/grouping.py`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_GROUPING_H
#define HARL_LIB_GROUPING_H

#include "LinalgFacts.h"

namespace harl {

/// A linalg op on tensors with its facts.
struct Node {
  mlir::Operation *op;
  LinalgFacts facts;
};

/// Numbers of a group's nodes in program order; the last is the root.
struct Group {
  llvm::SmallVector<unsigned> nodes;
  unsigned anchor;
};

/// All groups, ordered by root. A fill shared by several anchors is a member of
/// each group. Every node is in a group, but for fills that are only needed by
/// groups they are members of.
std::vector<Group> groupNodes(llvm::ArrayRef<Node> nodes);

/// What is in no row operation: anchors that reduce no rows, and the chains that
/// follow them.
llvm::SmallVector<unsigned> afterOtherAnchors(llvm::ArrayRef<Node> nodes);

} // namespace harl

#endif // HARL_LIB_GROUPING_H
