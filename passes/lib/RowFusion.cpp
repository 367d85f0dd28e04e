//===- RowFusion.cpp - Elementwise ops as part of what takes them ---------===//

#include "Fills.h"
#include "Grouping.h"
#include "RowForms.h"
#include "Rows.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace harl {

/// Body ops that a cheap op has at most.
static constexpr size_t kMostCheap = 4;

static bool isCheap(const LinalgFacts &facts) {
  static const llvm::StringSet<> cheap = {
      "arith.addf",     "arith.subf",     "arith.mulf", "arith.negf",
      "arith.maximumf", "arith.minimumf", "arith.constant", "arith.extf",
      "arith.truncf",   "arith.sitofp"};
  return facts.body.size() <= kMostCheap &&
         llvm::all_of(facts.body, [](const BodyOp &inner) {
           return cheap.contains(inner.name);
         });
}

static std::optional<Node> nodeOf(Operation *op, func::FuncOp function) {
  if (op->getParentOp() != function)
    return std::nullopt;
  std::string reason;
  FailureOr<LinalgFacts> facts = readFacts(op, reason);
  if (failed(facts) || facts->dims.empty())
    return std::nullopt;
  return Node{op, std::move(*facts)};
}

/// Whether a dimension of the operand goes with the last loop.
static bool tellsLast(const OperandFacts &operand) {
  return llvm::any_of(operand.map, [](const AffineRow &row) {
    return row[row.size() - 2] != 0;
  });
}

/// The ops that `op` is to become part of; none where it stays.
static llvm::SetVector<Operation *>
consumersOf(Operation *op, const Rows &rows, func::FuncOp function,
            const llvm::DenseSet<Operation *> &barred) {
  std::optional<Node> node = nodeOf(op, function);
  if (!node || !isa<linalg::GenericOp>(op) || !node->facts.isElementwise() ||
      node->facts.isFill())
    return {};
  const LinalgFacts &facts = node->facts;
  // Dead ops of the body, which the facts leave out, may read the init too.
  if (!rows.fits(facts) || facts.readsInit() ||
      !cast<linalg::GenericOp>(op).getBody()->getArguments().back().use_empty())
    return {};
  llvm::SetVector<Operation *> owners(op->user_begin(), op->user_end());
  if (owners.size() > 1 && !isCheap(facts))
    return {};
  for (OpOperand &use : op->getResult(0).getUses()) {
    Operation *user = use.getOwner();
    std::optional<Node> consumer;
    if (isa<linalg::GenericOp>(user) && !barred.contains(user))
      consumer = nodeOf(user, function);
    if (!consumer || !rows.fits(consumer->facts))
      return {};
    ArrayRef<OperandFacts> operands = consumer->facts.operands;
    size_t number = use.getOperandNumber();
    if (number + 1 == operands.size() ||
        rows.isAlong(facts) != rows.isAlong(consumer->facts) ||
        !isLeading(operands[number], facts.dims.size()))
      return {};
    // Something else has to tell the extent of the last loop.
    bool told = llvm::any_of(ArrayRef(facts.operands).drop_back(), tellsLast);
    for (size_t n = 0; n < operands.size(); ++n)
      told |= user->getOperand(n) != op->getResult(0) && tellsLast(operands[n]);
    if (!told)
      return {};
  }
  return owners;
}

/// Replaces `consumer` by a generic that computes the producer's result where it
/// takes it. Both go along the same loops, and the consumer takes the result by
/// all of them in order.
static void fuse(linalg::GenericOp producer, linalg::GenericOp consumer) {
  using Taken = std::pair<Value, AffineMap>;
  auto inputsOf = [](linalg::GenericOp op) {
    return llvm::map_to_vector(
        llvm::zip(op.getInputs(), op.getIndexingMapsArray()),
        [](auto pair) { return Taken(std::get<0>(pair), std::get<1>(pair)); });
  };
  Value taken = producer.getResult(0);
  SmallVector<Taken> inputs = inputsOf(consumer), given = inputsOf(producer);
  llvm::SetVector<Taken> operands;
  for (const Taken &input : inputs) {
    if (input.first == taken)
      operands.insert(given.begin(), given.end());
    else
      operands.insert(input);
  }
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  for (const Taken &operand : operands) {
    values.push_back(operand.first);
    maps.push_back(operand.second);
  }
  maps.push_back(consumer.getIndexingMapsArray().back());
  OpBuilder builder(consumer);
  auto made = linalg::GenericOp::create(
      builder, consumer.getLoc(), consumer->getResultTypes(), values,
      consumer.getOutputs(), maps, consumer.getIteratorTypesArray(),
      [&](OpBuilder &inside, Location, ValueRange arguments) {
        auto argumentOf = [&](const Taken &operand) {
          return arguments[llvm::find(operands, operand) - operands.begin()];
        };
        IRMapping first, second;
        for (auto [argument, operand] :
             llvm::zip(producer.getBody()->getArguments(), given))
          first.map(argument, argumentOf(operand));
        for (Operation &inner : producer.getBody()->without_terminator())
          inside.clone(inner, first);
        Value computed = first.lookupOrDefault(
            producer.getBody()->getTerminator()->getOperand(0));
        for (auto [argument, operand] :
             llvm::zip(consumer.getBody()->getArguments(), inputs))
          second.map(argument, operand.first == taken ? computed
                                                      : argumentOf(operand));
        second.map(consumer.getBody()->getArguments().back(), arguments.back());
        for (Operation &inner : *consumer.getBody())
          inside.clone(inner, second);
      });
  consumer.getResult(0).replaceAllUsesWith(made.getResult(0));
  consumer.erase();
}

void fuseRows(func::FuncOp function) {
  std::vector<Node> nodes;
  function.walk<WalkOrder::PreOrder>([&](linalg::LinalgOp op) {
    if (std::optional<Node> node = nodeOf(op, function))
      nodes.push_back(std::move(*node));
  });
  SmallVector<Rows> kinds;
  for (const Node &node : nodes)
    if (std::optional<Rows> rows = rowsOf(node.facts);
        rows && !llvm::is_contained(kinds, *rows))
      kinds.push_back(*rows);
  if (kinds.empty())
    return;
  llvm::DenseSet<Operation *> barred;
  for (unsigned i : afterOtherAnchors(nodes))
    barred.insert(nodes[i].op);
  // What is fused into has been looked at before.
  SmallVector<Operation *> ops =
      llvm::map_to_vector(nodes, [](const Node &node) { return node.op; });
  for (Operation *op : llvm::reverse(ops)) {
    if (barred.contains(op))
      continue;
    for (const Rows &rows : kinds) {
      llvm::SetVector<Operation *> consumers =
          consumersOf(op, rows, function, barred);
      if (consumers.empty())
        continue;
      for (Operation *consumer : consumers)
        fuse(cast<linalg::GenericOp>(op), cast<linalg::GenericOp>(consumer));
      op->erase();
      break;
    }
  }
  function.walk<WalkOrder::PreOrder>([&](linalg::LinalgOp op) {
    std::optional<Node> node = nodeOf(op, function);
    // Else an op's result would be put in the place of another's, and be copied
    // for it.
    if (node && llvm::any_of(kinds, [&](const Rows &rows) {
          return rows.fits(node->facts);
        }))
      ownEmpties(op);
  });
}

} // namespace harl
