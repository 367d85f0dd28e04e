//===- TaskCopy.cpp - A task in a function of its own ---------------------===//

#include "harl/TaskCopy.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace harl {

static constexpr StringLiteral kFunctionName = "task";

/// What the members use and do not make, in order of first use.
static SetVector<Value> usedFromOutside(ArrayRef<Operation *> members) {
  llvm::SmallPtrSet<Operation *, 8> inside(members.begin(), members.end());
  SetVector<Value> used;
  auto use = [&](Value value) {
    if (!value.getDefiningOp() || !inside.contains(value.getDefiningOp()))
      used.insert(value);
  };
  for (Operation *member : members) {
    llvm::for_each(member->getOperands(), use);
    SetVector<Value> above;
    getUsedValuesDefinedAbove(member->getRegions(), above);
    llvm::for_each(above, use);
  }
  return used;
}

/// Whether schedules want to see how a value is made.
static bool isCopied(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->getNumOperands() == 0 &&
         (isa<tensor::EmptyOp>(op) || matchPattern(op, m_Constant()));
}

TaskCopy::TaskCopy(ArrayRef<Operation *> members)
    : members(members.begin(), members.end()) {
  Operation *last = members.back();
  SetVector<Value> used = usedFromOutside(members);
  llvm::copy_if(used, std::back_inserter(captured),
                [](Value value) { return !isCopied(value); });
  OpBuilder builder(last->getContext());
  module = ModuleOp::create(last->getLoc());
  builder.setInsertionPointToEnd(module->getBody());
  SmallVector<Type> types = llvm::map_to_vector(
      captured, [](Value value) { return value.getType(); });
  auto function = func::FuncOp::create(
      builder, last->getLoc(), kFunctionName,
      builder.getFunctionType(types, last->getResultTypes()));
  Block *block = function.addEntryBlock();
  IRMapping copies;
  copies.map(captured, block->getArguments());
  builder.setInsertionPointToEnd(block);
  for (Value value : used)
    if (isCopied(value))
      builder.clone(*value.getDefiningOp(), copies);
  for (Operation *member : members)
    root = builder.clone(*member, copies);
  func::ReturnOp::create(builder, last->getLoc(), root->getResults());
}

FailureOr<SmallVector<Operation *>> TaskCopy::putBack() {
  auto function = module->lookupSymbol<func::FuncOp>(kFunctionName);
  // Another symbol would be lost with the copy's module.
  if (!function || !llvm::hasSingleElement(*module->getBody()) ||
      !llvm::hasSingleElement(function.getBody()))
    return failure();
  Block &block = function.getBody().front();
  auto end = dyn_cast<func::ReturnOp>(block.getTerminator());
  Operation *last = members.back();
  if (!end || end.getOperandTypes() != last->getResultTypes() ||
      block.getArgumentTypes() != TypeRange(ValueRange(captured)))
    return failure();
  IRRewriter rewriter(last->getContext());
  SmallVector<Value> results;
  for (Value value : end.getOperands()) {
    auto argument = dyn_cast<BlockArgument>(value);
    results.push_back(argument ? captured[argument.getArgNumber()] : value);
  }
  rewriter.eraseOp(end);
  rewriter.inlineBlockBefore(&block, last, captured);
  rewriter.replaceOp(last, results);
  SmallVector<Operation *> erased = {last};
  for (Operation *member : llvm::drop_begin(llvm::reverse(members))) {
    if (!isOpTriviallyDead(member))
      continue;
    rewriter.eraseOp(member);
    erased.push_back(member);
  }
  return erased;
}

} // namespace harl
