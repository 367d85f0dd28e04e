//===- Kernel.cpp - Cutting a workload out of its function ----------------===//

#include "Grouping.h"
#include "Padding.h"
#include "Sources.h"
#include "harl/Workloads.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;

namespace harl {

/// The members' facts, read again; empty after an error if an op is not
/// tunable any more.
static std::vector<Node> readMembers(const Workload &workload) {
  std::vector<Node> nodes;
  for (Operation *op : workload.members) {
    if (std::optional<LinalgFacts> facts = paddingFacts(op)) {
      nodes.push_back({op, std::move(*facts)});
      continue;
    }
    std::string reason;
    FailureOr<LinalgFacts> facts = readFacts(op, reason);
    if (failed(facts)) {
      op->emitError("cannot be extracted: ") << reason;
      return {};
    }
    nodes.push_back({op, std::move(*facts)});
  }
  return nodes;
}

/// Appends a copy of a member; what it uses is in `values`.
static void copyMember(OpBuilder &builder, const Node &node, bool freshInit,
                       IRMapping &values) {
  Operation *copy = builder.clone(*node.op, values);
  copy->removeAttr(kWorkloadAttr);
  if (!freshInit)
    return;
  // Before its user, with the type of the init.
  auto type =
      cast<RankedTensorType>(node.op->getOperands().back().getType());
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(copy);
  Value init = tensor::EmptyOp::create(builder, copy->getLoc(), type.getShape(),
                                       type.getElementType());
  copy->setOperand(copy->getNumOperands() - 1, init);
}

OwningOpRef<ModuleOp> extractKernel(const Workload &workload) {
  std::vector<Node> nodes = readMembers(workload);
  if (nodes.empty())
    return {};
  SmallVector<const Node *> members;
  for (const Node &node : nodes)
    members.push_back(&node);
  Sources sources = sourcesOf(members);

  MLIRContext *context = workload.root->getContext();
  Location location = workload.root->getLoc();
  OpBuilder builder(context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(location);
  SmallVector<Type> inputs;
  for (Value argument : sources.arguments)
    inputs.push_back(argument.getType());
  builder.setInsertionPointToEnd(module->getBody());
  auto kernel = func::FuncOp::create(
      builder, location, "kernel",
      builder.getFunctionType(inputs, workload.root->getResultTypes()));
  Block *block = kernel.addEntryBlock();
  builder.setInsertionPointToEnd(block);

  IRMapping values;
  values.map(ValueRange(sources.arguments), block->getArguments());
  for (Operation *op : sources.copied)
    builder.clone(*op, values);
  for (auto [node, member] : llvm::zip_equal(nodes, sources.members))
    copyMember(builder, node, member.freshInit, values);
  func::ReturnOp::create(builder, location,
                         values.lookup(workload.root->getResult(0)));
  if (failed(verify(*module)))
    return {};
  return module;
}

} // namespace harl
