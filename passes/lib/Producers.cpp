//===- Producers.cpp - What makes an operand of a contraction -------------===//

#include "Producers.h"
#include "Chains.h"
#include "Padding.h"
#include "Rows.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

#include <optional>

using namespace mlir;

namespace harl {

/// Whether it is a contraction, whose operands may be computed for it.
static bool takesProducers(const LinalgFacts &op) {
  return llvm::is_contained(op.isReduction, true) &&
         llvm::is_contained(op.isReduction, false) && isMultiplyAdd(op);
}

/// Whether it computes elements one by one, so that a part of its result is an
/// op of the same kind. What only moves elements is none: a contraction has its
/// own ways to read operands in another order.
static bool mayProduce(const LinalgFacts &op) {
  return op.isElementwise() && !op.isFill() && !op.readsInit() &&
         isLeading(op.operands.back(), op.dims.size()) &&
         llvm::any_of(op.body,
                      [](const BodyOp &inner) {
                        return inner.name != "arith.constant";
                      }) &&
         llvm::none_of(op.body, [](const BodyOp &inner) {
           return inner.name == "linalg.index";
         });
}

/// Whether the group's anchor is a contraction and all that reduces in it.
static bool takes(ArrayRef<Node> nodes, const Group &group) {
  return takesProducers(nodes[group.anchor].facts) &&
         llvm::all_of(group.nodes, [&](unsigned node) {
           return node == group.anchor || nodes[node].facts.isElementwise();
         });
}

/// The op that takes the result of a group that may produce, as one of its
/// inputs; null for others.
static Operation *consumerOf(ArrayRef<Node> nodes, const Group &group) {
  Operation *root = nodes[group.nodes.back()].op;
  if (!root->getResult(0).hasOneUse() ||
      !llvm::all_of(group.nodes, [&](unsigned node) {
        return mayProduce(nodes[node].facts);
      }))
    return nullptr;
  OpOperand &use = *root->getResult(0).use_begin();
  Operation *user = use.getOwner();
  bool isInput = use.getOperandNumber() + 1 < user->getNumOperands();
  return isInput && user->getBlock() == root->getBlock() ? user : nullptr;
}

std::vector<Group> joinProducers(ArrayRef<Node> nodes,
                                 std::vector<Group> groups) {
  llvm::DenseMap<Operation *, unsigned> taking;
  for (auto [number, group] : llvm::enumerate(groups))
    if (takes(nodes, group))
      taking[nodes[group.anchor].op] = number;
  std::vector<Group> found;
  llvm::DenseMap<unsigned, SmallVector<unsigned>> added;
  for (const Group &group : groups) {
    auto consumer = taking.find(consumerOf(nodes, group));
    if (consumer != taking.end())
      added[consumer->second].append(group.nodes);
  }
  for (auto [number, group] : llvm::enumerate(groups)) {
    if (taking.contains(consumerOf(nodes, group)))
      continue;
    found.push_back(group);
    found.back().nodes.append(added.lookup(number));
    llvm::sort(found.back().nodes);
  }
  return found;
}

std::vector<Node> paddingsOf(ArrayRef<Node> nodes, const Group &group) {
  std::vector<Node> found;
  if (!takes(nodes, group))
    return found;
  for (Value value : nodes[group.anchor].op->getOperands().drop_back())
    if (std::optional<LinalgFacts> facts = paddingFacts(value.getDefiningOp()))
      found.push_back({value.getDefiningOp(), std::move(*facts)});
  return found;
}

} // namespace harl
