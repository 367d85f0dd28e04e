//===- Sources.cpp - Where the operands of a workload come from -----------===//

#include "Sources.h"
#include "AttributeText.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace harl {

static bool isEmpty(Value value) {
  auto empty = value.getDefiningOp<tensor::EmptyOp>();
  return empty && empty->getNumOperands() == 0;
}

namespace {

/// Numbers values as they are first used.
class SourceFinder {
public:
  void add(unsigned index, const Node &node);
  Sources take() { return std::move(found); }

private:
  void bring(Value value);

  Sources found;
  llvm::DenseMap<Value, Source> sources;
};

} // namespace

void SourceFinder::add(unsigned index, const Node &node) {
  MemberSources member;
  // A padding has no init.
  bool isPad = isa<tensor::PadOp>(node.op);
  OperandRange inputs = node.op->getOperands();
  Value init;
  if (!isPad) {
    init = inputs.back();
    inputs = inputs.drop_back();
    member.freshInit = !node.facts.readsInit() && !sources.contains(init) &&
                       !isEmpty(init);
  }
  for (Value value : inputs)
    bring(value);
  if (init && !member.freshInit)
    bring(init);
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(node.op->getRegions(), captured);
  for (Value value : captured)
    bring(value);

  for (Value value : inputs)
    member.operands.push_back(sources.lookup(value));
  member.operands.push_back(member.freshInit || isPad ? Source{Source::Empty}
                                             : sources.lookup(init));
  found.members.push_back(std::move(member));
  sources[node.op->getResult(0)] = Source{Source::Member, index};
}

void SourceFinder::bring(Value value) {
  if (sources.contains(value))
    return;
  Operation *owner = value.getDefiningOp();
  Attribute number = constantNumber(owner);
  if (number || isEmpty(value)) {
    sources[value] = number ? Source{Source::Constant, 0, number}
                            : Source{Source::Empty};
    found.copied.push_back(owner);
    return;
  }
  unsigned index = found.arguments.size();
  sources[value] = Source{Source::Argument, index};
  found.arguments.push_back(value);
}

Sources sourcesOf(ArrayRef<const Node *> members) {
  SourceFinder finder;
  for (auto [i, node] : llvm::enumerate(members))
    finder.add(i, *node);
  return finder.take();
}

} // namespace harl
