//===- Grouping.cpp - Fusion groups of linalg ops -------------------------===//

#include "Grouping.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

#include <optional>

using namespace mlir;

namespace harl {

/// Whether an operand is indexed by all loops in their order.
static bool isIdentity(const OperandFacts &operand) {
  size_t rank = operand.map.size();
  for (auto [i, row] : llvm::enumerate(operand.map)) {
    if (row.size() != rank + 1 || row.back() != 0)
      return false;
    for (size_t d = 0; d < rank; ++d)
      if (row[d] != (d == i ? 1 : 0))
        return false;
  }
  return true;
}

namespace {

class Grouping {
public:
  explicit Grouping(ArrayRef<Node> nodes);
  std::vector<Group> run();

private:
  std::optional<unsigned> fillOf(unsigned anchor) const;
  SmallVector<unsigned> chainFrom(unsigned start) const;
  void takeAbsorbedFills();

  ArrayRef<Node> nodes;
  llvm::DenseMap<Operation *, unsigned> numbers;
  /// For each node those that take its result, in program order.
  std::vector<SmallVector<unsigned>> consumers;
  llvm::DenseSet<unsigned> taken;
  std::vector<Group> groups;
};

} // namespace

Grouping::Grouping(ArrayRef<Node> nodes)
    : nodes(nodes), consumers(nodes.size()) {
  for (auto [i, node] : llvm::enumerate(nodes))
    numbers[node.op] = i;
  for (auto [i, node] : llvm::enumerate(nodes))
    for (Value value : node.op->getOperands()) {
      auto producer = numbers.find(value.getDefiningOp());
      if (producer == numbers.end())
        continue;
      SmallVector<unsigned> &known = consumers[producer->second];
      if (known.empty() || known.back() != i)
        known.push_back(i);
    }
}

std::vector<Group> Grouping::run() {
  // From the last anchor to the first: an op that could follow two anchors
  // follows the nearer one, whose result is still in the cache.
  for (unsigned i = nodes.size(); i-- > 0;)
    if (!nodes[i].facts.isElementwise()) {
      Group group{{}, i};
      if (std::optional<unsigned> fill = fillOf(i))
        group.nodes.push_back(*fill);
      SmallVector<unsigned> chain = chainFrom(i);
      taken.insert(chain.begin(), chain.end());
      group.nodes.append(chain);
      groups.push_back(std::move(group));
    }
  takeAbsorbedFills();
  for (unsigned i = 0; i < nodes.size(); ++i)
    if (!taken.contains(i)) {
      SmallVector<unsigned> chain = chainFrom(i);
      taken.insert(chain.begin(), chain.end());
      groups.push_back({chain, chain.back()});
    }
  llvm::sort(groups, [](const Group &a, const Group &b) {
    return a.nodes.back() < b.nodes.back();
  });
  return std::move(groups);
}

/// The fill whose result is the init of a node and nothing else of it.
std::optional<unsigned> Grouping::fillOf(unsigned anchor) const {
  Operation *op = nodes[anchor].op;
  Value init = op->getOperands().back();
  auto producer = numbers.find(init.getDefiningOp());
  if (producer == numbers.end() ||
      !nodes[producer->second].facts.isFill() ||
      llvm::count(op->getOperands(), init) != 1)
    return std::nullopt;
  return producer->second;
}

/// `start` and the elementwise ops that follow it, each the only use of the one
/// before.
SmallVector<unsigned> Grouping::chainFrom(unsigned start) const {
  SmallVector<unsigned> chain = {start};
  while (true) {
    const Node &last = nodes[chain.back()];
    ArrayRef<unsigned> next = consumers[chain.back()];
    Value result = last.op->getResult(0);
    if (!result.hasOneUse() || next.size() != 1)
      return chain;
    const Node &consumer = nodes[next[0]];
    const OperandFacts &operand =
        consumer.facts.operands[result.use_begin()->getOperandNumber()];
    bool follows = !taken.contains(next[0]) && consumer.facts.isElementwise() &&
                   consumer.op->getBlock() == last.op->getBlock() &&
                   isIdentity(operand) &&
                   isIdentity(consumer.facts.operands.back()) &&
                   !operand.shape.empty();
    if (!follows)
      return chain;
    chain.push_back(next[0]);
  }
}

/// Fills that are needed by nothing but groups they are members of make no
/// groups of their own.
void Grouping::takeAbsorbedFills() {
  llvm::DenseMap<unsigned, llvm::DenseSet<Operation *>> users;
  for (const Group &group : groups)
    if (group.nodes.front() != group.anchor)
      for (unsigned node : group.nodes)
        users[group.nodes.front()].insert(nodes[node].op);
  for (auto &[fill, inside] : users)
    if (llvm::all_of(nodes[fill].op->getResult(0).getUsers(),
                     [&](Operation *user) { return inside.contains(user); }))
      taken.insert(fill);
}

std::vector<Group> groupNodes(ArrayRef<Node> nodes) {
  return Grouping(nodes).run();
}

} // namespace harl
