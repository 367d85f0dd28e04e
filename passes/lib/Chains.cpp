//===- Chains.cpp - Products and row operations on them -------------------===//

#include "Chains.h"
#include "Rows.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

#include <map>
#include <optional>
#include <set>

using namespace mlir;

namespace harl {

/// The loops of an op by the root's loops that they stand for.
using Loops = std::map<unsigned, unsigned>;

static bool moves(const OperandFacts &operand, unsigned loop) {
  return llvm::any_of(operand.map,
                      [&](const AffineRow &row) { return row[loop] != 0; });
}

bool isMultiplyAdd(const LinalgFacts &op) {
  static const llvm::StringSet<> widening = {"arith.extf", "arith.extsi",
                                             "arith.extui", "arith.sitofp",
                                             "arith.uitofp"};
  unsigned first = op.operands.size();
  if (first != 3 || llvm::any_of(op.operands, [](const OperandFacts &operand) {
        return operand.isScalar;
      }))
    return false;
  auto made = [&](unsigned value) {
    return value < first ? nullptr : &op.body[value - first];
  };
  auto source = [&](unsigned value) {
    while (made(value) && widening.contains(made(value)->name))
      value = made(value)->operands[0];
    return value;
  };
  const BodyOp *sum = made(op.yields);
  if (!sum || (sum->name != "arith.addf" && sum->name != "arith.addi") ||
      !llvm::is_contained(sum->operands, 2u))
    return false;
  const unsigned *other =
      llvm::find_if(sum->operands, [](unsigned value) { return value != 2; });
  const BodyOp *product = other == sum->operands.end() ? nullptr : made(*other);
  if (!product ||
      (product->name != "arith.mulf" && product->name != "arith.muli"))
    return false;
  std::multiset<unsigned> sources;
  for (unsigned value : product->operands)
    sources.insert(source(value));
  return sources == std::multiset<unsigned>{0, 1};
}

/// Whether all is floating-point, each dimension a loop of its own, and the body
/// reads no loop's number.
static bool isPlain(const LinalgFacts &op) {
  for (const OperandFacts &operand : op.operands) {
    if (operand.element != "f32" && operand.element != "f64")
      return false;
    std::set<unsigned> seen;
    for (const AffineRow &row : operand.map) {
      std::optional<unsigned> loop = plainLoop(row);
      if (!loop || !seen.insert(*loop).second)
        return false;
    }
  }
  return llvm::none_of(op.body, [](const BodyOp &inner) {
    return inner.name == "linalg.index";
  });
}

/// Whether it is a product of two tensors with plain loops, each of which has
/// one to itself.
static bool isProduct(const LinalgFacts &op) {
  if (op.isElementwise() || !isMultiplyAdd(op) || !isPlain(op))
    return false;
  bool alone[2] = {false, false};
  for (auto [loop, extent] : llvm::enumerate(op.dims)) {
    bool left = moves(op.operands[0], loop), right = moves(op.operands[1], loop);
    if (!op.isReduction[loop] && extent > 1 && left != right)
      alone[right] = true;
  }
  return alone[0] && alone[1];
}

/// The loops of `producer` that step through the dimensions in which an operand
/// moves with `loops`.
static Loops passed(const Loops &loops, const OperandFacts &operand,
                    const LinalgFacts &producer) {
  Loops found;
  for (auto [root, loop] : loops) {
    std::optional<unsigned> moved;
    unsigned count = 0;
    for (auto [i, row] : llvm::enumerate(operand.map))
      if (row[loop] != 0) {
        moved = i;
        ++count;
      }
    if (count == 1 && plainLoop(operand.map[*moved]) == loop)
      found[root] = *plainLoop(producer.operands.back().map[*moved]);
  }
  return found;
}

namespace {

class Chains {
public:
  Chains(ArrayRef<Node> nodes, std::vector<Group> groups);
  std::vector<Group> run();

private:
  std::optional<unsigned> maker(Value value) const;
  std::set<unsigned> waysTo(unsigned root) const;
  bool reducesRows(const std::set<unsigned> &users,
                   const std::set<unsigned> &inside) const;
  bool isChain(ArrayRef<unsigned> members) const;

  ArrayRef<Node> nodes;
  std::vector<Group> groups;
  llvm::DenseMap<Operation *, unsigned> numbers;
  std::vector<std::set<unsigned>> consumers;
  /// The group of each node.
  std::vector<unsigned> of;
  llvm::DenseSet<unsigned> taken;
};

} // namespace

Chains::Chains(ArrayRef<Node> nodes, std::vector<Group> given)
    : nodes(nodes), groups(std::move(given)), consumers(nodes.size()),
      of(nodes.size()) {
  for (auto [i, node] : llvm::enumerate(nodes))
    numbers[node.op] = i;
  for (auto [i, node] : llvm::enumerate(nodes))
    for (Value value : node.op->getOperands())
      if (std::optional<unsigned> producer = maker(value))
        consumers[*producer].insert(i);
  for (auto [i, group] : llvm::enumerate(groups))
    for (unsigned node : group.nodes)
      of[node] = i;
}

std::optional<unsigned> Chains::maker(Value value) const {
  auto found = numbers.find(value.getDefiningOp());
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

/// From the last root to the first.
std::vector<Group> Chains::run() {
  std::vector<Group> found;
  for (unsigned root = groups.size(); root-- > 0;) {
    if (taken.contains(root))
      continue;
    std::set<unsigned> inside = waysTo(root), members;
    for (unsigned number : inside)
      members.insert(groups[number].nodes.begin(), groups[number].nodes.end());
    SmallVector<unsigned> ordered(members.begin(), members.end());
    if (inside.size() < 2 || !isChain(ordered))
      continue;
    unsigned anchor = *llvm::find_if(
        ordered, [&](unsigned node) { return isProduct(nodes[node].facts); });
    found.push_back({ordered, anchor});
    taken.insert(inside.begin(), inside.end());
  }
  for (auto [number, group] : llvm::enumerate(groups))
    if (!taken.contains(number))
      found.push_back(group);
  llvm::sort(found, [](const Group &a, const Group &b) {
    return a.nodes.back() < b.nodes.back();
  });
  return found;
}

/// The groups on the ways to group `root` from products whose rows are reduced
/// on them. Nothing else uses them, and at most one more product, the last, is
/// among them.
std::set<unsigned> Chains::waysTo(unsigned root) const {
  std::set<unsigned> inside = {root}, sources;
  bool hasProduct = isProduct(nodes[groups[root].anchor].facts);
  for (unsigned number = root; number-- > 0;) {
    const Group &group = groups[number];
    const std::set<unsigned> &users = consumers[group.nodes.back()];
    bool joins = !taken.contains(number) && !users.empty();
    for (Operation *user : nodes[group.nodes.back()].op->getResult(0).getUsers())
      joins &= numbers.contains(user) &&
               user->getBlock() == nodes[group.nodes.back()].op->getBlock();
    for (unsigned user : users)
      joins &= inside.count(of[user]) != 0 && sources.count(of[user]) == 0;
    if (!joins)
      continue;
    if (isProduct(nodes[group.anchor].facts)) {
      if (reducesRows(users, inside))
        sources.insert(number);
      else if (hasProduct)
        continue;
      else
        hasProduct = true;
    }
    inside.insert(number);
  }
  std::set<unsigned> ways = sources;
  for (unsigned number : inside)
    for (unsigned node : groups[number].nodes)
      for (Value value : nodes[node].op->getOperands())
        if (std::optional<unsigned> made = maker(value))
          if (!nodes[*made].facts.isFill() && ways.count(of[*made]))
            ways.insert(number);
  return ways.count(root) ? ways : std::set<unsigned>{root};
}

/// Whether elementwise ops of the groups `inside` lead from `users` to one that
/// reduces rows.
bool Chains::reducesRows(const std::set<unsigned> &users,
                         const std::set<unsigned> &inside) const {
  return llvm::any_of(users, [&](unsigned user) {
    const LinalgFacts &facts = nodes[user].facts;
    if (inside.count(of[user]) == 0 || isProduct(facts))
      return false;
    return !facts.isElementwise() || reducesRows(consumers[user], inside);
  });
}

/// Whether ops in program order, the last one their root, have a loop over rows
/// in common.
bool Chains::isChain(ArrayRef<unsigned> members) const {
  bool products = false, reductions = false;
  for (unsigned node : members) {
    const LinalgFacts &facts = nodes[node].facts;
    bool product = isProduct(facts), reduces = !facts.isElementwise();
    if ((reduces && !product && !rowsOf(facts)) ||
        !(facts.isFill() || isPlain(facts)))
      return false;
    products |= product;
    reductions |= reduces && !product;
  }
  if (!products || !reductions)
    return false;
  const LinalgFacts &root = nodes[members.back()].facts;
  std::map<unsigned, Loops> found;
  for (auto [loop, reduced] : llvm::enumerate(root.isReduction))
    if (!reduced)
      found[members.back()][loop] = loop;
  // Consumers come after producers.
  for (unsigned consumer : llvm::reverse(members))
    for (auto [number, value] :
         llvm::enumerate(nodes[consumer].op->getOperands())) {
      std::optional<unsigned> producer = maker(value);
      if (!producer || !llvm::is_contained(members, *producer))
        continue;
      Loops own = passed(found[consumer], nodes[consumer].facts.operands[number],
                         nodes[*producer].facts);
      auto [known, isNew] = found.try_emplace(*producer, own);
      for (auto each = known->second.begin(); each != known->second.end();) {
        auto again = own.find(each->first);
        bool agrees = again != own.end() && again->second == each->second;
        each = agrees ? std::next(each) : known->second.erase(each);
      }
    }
  return llvm::any_of(found[members.back()], [&](const auto &entry) {
    unsigned loop = entry.first;
    return root.dims[loop] > 1 && llvm::all_of(members, [&](unsigned node) {
             auto own = found[node].find(loop);
             const LinalgFacts &facts = nodes[node].facts;
             return own != found[node].end() &&
                    (!isProduct(facts) ||
                     moves(facts.operands[0], own->second) !=
                         moves(facts.operands[1], own->second));
           });
  });
}

std::vector<Group> joinChains(ArrayRef<Node> nodes, std::vector<Group> groups) {
  return Chains(nodes, std::move(groups)).run();
}

} // namespace harl
