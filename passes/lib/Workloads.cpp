//===- Workloads.cpp - The tunable ops of a function ----------------------===//

#include "harl/Workloads.h"
#include "Grouping.h"
#include "Normalise.h"
#include "Producers.h"
#include "Sources.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace harl {

/// All linalg ops of a function, inside loops and branches too, in program
/// order.
static SmallVector<Operation *> linalgOps(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa_and_nonnull<linalg::LinalgDialect>(op->getDialect()) &&
        !isa<linalg::IndexOp, linalg::YieldOp>(op))
      ops.push_back(op);
  });
  return ops;
}

/// The linalg ops that something else than dead linalg ops needs.
static llvm::DenseSet<Operation *> liveOps(ArrayRef<Operation *> ops) {
  llvm::DenseSet<Operation *> candidates(ops.begin(), ops.end());
  llvm::DenseSet<Operation *> live;
  for (Operation *op : llvm::reverse(ops))
    if (op->getNumResults() == 0 ||
        llvm::any_of(op->getUsers(), [&](Operation *user) {
          return live.contains(user) || !candidates.contains(user);
        }))
      live.insert(op);
  return live;
}

/// Why an op with a loop nest is not tunable; empty if it is.
static std::string whyNot(Operation *op, const LinalgFacts &facts,
                          func::FuncOp function,
                          const llvm::DenseSet<Operation *> &live) {
  if (facts.dims.empty())
    return "it has no loops";
  Operation *parent = op->getParentOp();
  if (parent != function)
    return ("it is inside " + parent->getName().getStringRef() +
            "; put it into a function that is called there")
        .str();
  if (!live.contains(op))
    return "its result is unused";
  // Where the result is strided, the loops of an elementwise op cannot be made
  // one, as its schedules do.
  Value init = op->getOperands().back();
  if (facts.isElementwise() && init.getDefiningOp<tensor::ExtractSliceOp>())
    return "it writes into a slice of another tensor";
  return "";
}

static std::vector<Node> tunableNodes(func::FuncOp function,
                                      SmallVectorImpl<NotTunable> *left) {
  SmallVector<Operation *> ops = linalgOps(function);
  llvm::DenseSet<Operation *> live = liveOps(ops);
  std::vector<Node> nodes;
  for (Operation *op : ops) {
    if (op->hasAttr(kBorderAttr)) // Nothing that somebody wrote.
      continue;
    std::string reason;
    FailureOr<LinalgFacts> facts = readFacts(op, reason);
    if (succeeded(facts))
      reason = whyNot(op, *facts, function, live);
    if (reason.empty())
      nodes.push_back({op, std::move(*facts)});
    else if (left)
      left->push_back({op, std::move(reason)});
  }
  return nodes;
}

/// `matmul 512x512x512 f32 +1`: the anchor, and how many ops that compute
/// something follow it.
static std::string labelOf(const Group &group, ArrayRef<Node> nodes) {
  const Node &anchor = nodes[group.anchor];
  std::string text;
  llvm::raw_string_ostream os(text);
  os << anchor.op->getName().stripDialect() << ' ';
  llvm::interleave(anchor.facts.dims, os, "x");
  os << ' ' << anchor.facts.operands.back().element;
  const unsigned *after = std::next(llvm::find(group.nodes, group.anchor));
  int fused = std::count_if(after, group.nodes.end(), [&](unsigned i) {
    return nodes[i].facts.hasArithmetic();
  });
  if (fused)
    os << " +" << fused;
  return text;
}

SmallVector<Workload> findWorkloads(func::FuncOp function,
                                    SmallVectorImpl<NotTunable> *left) {
  SmallVector<Workload> workloads;
  std::vector<Node> nodes = tunableNodes(function, left);
  for (const Group &group : groupNodes(nodes)) {
    Workload workload;
    SmallVector<const Node *> members;
    std::vector<Node> paddings = paddingsOf(nodes, group);
    for (const Node &padding : paddings) {
      members.push_back(&padding);
      workload.members.push_back(padding.op);
    }
    for (unsigned i : group.nodes) {
      members.push_back(&nodes[i]);
      workload.members.push_back(nodes[i].op);
    }
    workload.root = workload.members.back();
    workload.anchor = nodes[group.anchor].op;
    workload.key = keyOf(canonicalText(members, sourcesOf(members)));
    workload.label = labelOf(group, nodes);
    workloads.push_back(std::move(workload));
  }
  return workloads;
}

} // namespace harl
