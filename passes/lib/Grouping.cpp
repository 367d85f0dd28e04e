//===- Grouping.cpp - Fusion groups of linalg ops -------------------------===//

#include "Grouping.h"
#include "Chains.h"
#include "Producers.h"
#include "Rows.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

#include <optional>

using namespace mlir;

namespace harl {

namespace {

class Grouping {
public:
  explicit Grouping(ArrayRef<Node> nodes);
  std::vector<Group> run();
  SmallVector<unsigned> afterOtherAnchors() const;

private:
  std::optional<unsigned> fillOf(unsigned anchor) const;
  SmallVector<unsigned> chainFrom(unsigned start) const;
  void takeRowOperations();
  SmallVector<Rows> rowsBefore(unsigned root) const;
  std::optional<Group> rowOperation(unsigned root, const Rows &rows,
                                    const llvm::DenseSet<unsigned> &held) const;
  bool joins(unsigned producer, const Rows &rows,
             const llvm::DenseSet<unsigned> &inside) const;
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
  takeRowOperations();
  // From the last anchor to the first: an op that could follow two anchors
  // follows the nearer one, whose result is still in the cache.
  for (unsigned i = nodes.size(); i-- > 0;)
    if (!nodes[i].facts.isElementwise() && !taken.contains(i)) {
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
    ArrayRef<OperandFacts> operands = consumer.facts.operands;
    size_t loops = consumer.facts.dims.size();
    bool follows =
        !taken.contains(next[0]) && consumer.facts.isElementwise() &&
        consumer.op->getBlock() == last.op->getBlock() &&
        isLeading(operands[result.use_begin()->getOperandNumber()], loops) &&
        isLeading(operands.back(), loops);
    if (!follows)
      return chain;
    chain.push_back(next[0]);
  }
}

SmallVector<unsigned> Grouping::afterOtherAnchors() const {
  SmallVector<unsigned> found;
  for (auto [i, node] : llvm::enumerate(nodes))
    if (!node.facts.isElementwise() && !rowsOf(node.facts))
      found.append(chainFrom(i));
  return found;
}

/// The row operations, from the last root to the first; what follows another
/// anchor is in none.
void Grouping::takeRowOperations() {
  SmallVector<unsigned> others = afterOtherAnchors();
  llvm::DenseSet<unsigned> held(others.begin(), others.end());
  for (unsigned root = nodes.size(); root-- > 0;) {
    if (held.contains(root) || nodes[root].facts.isFill())
      continue;
    for (const Rows &rows : rowsBefore(root)) {
      std::optional<Group> found = rowOperation(root, rows, held);
      if (!found)
        continue;
      for (unsigned node : found->nodes)
        if (!nodes[node].facts.isFill()) {
          held.insert(node);
          taken.insert(node);
        }
      groups.push_back(std::move(*found));
      break;
    }
  }
}

/// The rows that `root` may work on: those reduced by the ops it needs, the
/// nearest first, each once.
SmallVector<Rows> Grouping::rowsBefore(unsigned root) const {
  llvm::DenseSet<unsigned> needed = {root};
  SmallVector<Rows> found;
  for (unsigned node = root + 1; node-- > 0;) {
    if (!needed.contains(node))
      continue;
    std::optional<Rows> rows = rowsOf(nodes[node].facts);
    if (rows && rows->holds(nodes[root].facts) &&
        !llvm::is_contained(found, *rows))
      found.push_back(*rows);
    // What is reduced otherwise has other loops.
    if (rows || nodes[node].facts.isElementwise())
      for (Value value : nodes[node].op->getOperands()) {
        auto producer = numbers.find(value.getDefiningOp());
        if (producer != numbers.end())
          needed.insert(producer->second);
      }
  }
  return found;
}

/// The ops on `rows` that `root` needs and nothing else uses; none where they
/// are no row operation.
std::optional<Group>
Grouping::rowOperation(unsigned root, const Rows &rows,
                       const llvm::DenseSet<unsigned> &held) const {
  llvm::DenseSet<unsigned> inside = {root};
  Group group{{root}, 0};
  // Consumers come after producers: all that may use an op have been looked at
  // before it.
  for (unsigned producer = root; producer-- > 0;) {
    if (nodes[producer].facts.isFill()) {
      if (llvm::any_of(consumers[producer], [&](unsigned consumer) {
            return inside.contains(consumer) && fillOf(consumer) == producer;
          }))
        group.nodes.push_back(producer);
    } else if (!held.contains(producer) && joins(producer, rows, inside)) {
      inside.insert(producer);
      group.nodes.push_back(producer);
    }
  }
  llvm::sort(group.nodes);
  unsigned reducing = 0, along = 0;
  for (unsigned node : inside) {
    along += rows.isAlong(nodes[node].facts);
    if (nodes[node].facts.isElementwise())
      continue;
    ++reducing;
    group.anchor = std::max(group.anchor, node);
  }
  if (reducing == 0 || along < 2)
    return std::nullopt;
  return group;
}

bool Grouping::joins(unsigned producer, const Rows &rows,
                     const llvm::DenseSet<unsigned> &inside) const {
  const Node &node = nodes[producer];
  Value result = node.op->getResult(0);
  if (result.use_empty() || !rows.holds(node.facts))
    return false;
  size_t wanted = node.facts.operands.back().map.size();
  return llvm::all_of(result.getUses(), [&](OpOperand &use) {
    auto consumer = numbers.find(use.getOwner());
    return consumer != numbers.end() && inside.contains(consumer->second) &&
           use.getOwner()->getBlock() == node.op->getBlock() &&
           isLeading(
               nodes[consumer->second].facts.operands[use.getOperandNumber()],
               wanted);
  });
}

/// Fills that are needed by nothing but groups they are members of make no
/// groups of their own.
void Grouping::takeAbsorbedFills() {
  llvm::DenseMap<unsigned, llvm::DenseSet<Operation *>> users;
  for (const Group &group : groups)
    for (unsigned fill : group.nodes)
      if (nodes[fill].facts.isFill() && !taken.contains(fill))
        for (unsigned node : group.nodes)
          users[fill].insert(nodes[node].op);
  for (auto &[fill, inside] : users)
    if (llvm::all_of(nodes[fill].op->getResult(0).getUsers(),
                     [&](Operation *user) { return inside.contains(user); }))
      taken.insert(fill);
}

std::vector<Group> groupNodes(ArrayRef<Node> nodes) {
  return joinProducers(nodes, joinChains(nodes, Grouping(nodes).run()));
}

SmallVector<unsigned> afterOtherAnchors(ArrayRef<Node> nodes) {
  return Grouping(nodes).afterOtherAnchors();
}

} // namespace harl
