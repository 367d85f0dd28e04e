//===- NumberedOps.cpp - Ops that are found again -------------------------===//

#include "harl/NumberedOps.h"
#include "harl/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

/// On ops of the program that hold a numbered op.
static constexpr StringLiteral kAroundAttr = "harl.around";
static constexpr StringLiteral kOursPrefix = "harl.";
/// For the lowering.
static constexpr StringLiteral kFetchedAttr = "harl.fetched";
static constexpr StringLiteral kLanesAttr = "harl.lanes";
static constexpr StringLiteral kOnlineAttr = "harl.online";
static constexpr StringLiteral kStreamedAttr = "harl.streamed";
static constexpr StringLiteral kTransposedAttr = "harl.transposed";
static constexpr StringLiteral kVectorAttr = "harl.vector";

/// Calls `visit` for the ops of a region that are where the program had them.
static void visitInPlace(Region &region,
                         llvm::function_ref<void(Operation &)> visit) {
  for (Block &block : region)
    for (Operation &op : block) {
      visit(op);
      if (op.hasAttr(kAroundAttr))
        for (Region &inner : op.getRegions())
          visitInPlace(inner, visit);
    }
}

void removeOurs(Operation *op) {
  SmallVector<StringAttr> ours;
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (attribute.getName().strref().starts_with(kOursPrefix) &&
        attribute.getName() != kFetchedAttr &&
        attribute.getName() != kLanesAttr &&
        attribute.getName() != kOnlineAttr &&
        attribute.getName() != kStreamedAttr &&
        attribute.getName() != kTransposedAttr &&
        attribute.getName() != kVectorAttr &&
        attribute.getName() != kAloneAttr)
      ours.push_back(attribute.getName());
  for (StringAttr name : ours)
    op->removeDiscardableAttr(name);
}

int64_t numberOf(Operation *op) {
  auto number = op->getAttrOfType<IntegerAttr>(kOpAttr);
  return number ? number.getInt() : -1;
}

void NumberedOps::number(func::FuncOp function) {
  SmallVector<Operation *> ops;
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<linalg::LinalgOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    add(op);
    for (Operation *around = op->getParentOp(); around != function;
         around = around->getParentOp())
      around->setAttr(kAroundAttr, UnitAttr::get(op->getContext()));
  }
}

void NumberedOps::add(Operation *op) {
  int64_t number = seen.size();
  seen.push_back({op->getLoc(), SmallVector<Type>(op->getOperandTypes())});
  op->setAttr(kOpAttr, Builder(op->getContext()).getI64IntegerAttr(number));
  forgetPlaces();
}

const llvm::DenseMap<int64_t, Operation *> &
NumberedOps::inPlace(func::FuncOp function) {
  if (placedIsValid)
    return placed;
  placed.clear();
  llvm::SmallDenseSet<int64_t> twice;
  visitInPlace(function.getBody(), [&](Operation &op) {
    auto number = op.getAttrOfType<IntegerAttr>(kOpAttr);
    if (!number || !isa<linalg::LinalgOp, tensor::PadOp>(op))
      return;
    int64_t value = number.getInt();
    // A mark copied to another op, as a neighbour was split or padded.
    bool same = value >= 0 && value < int64_t(seen.size()) &&
                llvm::equal(seen[value].types, op.getOperandTypes());
    if (same && !placed.try_emplace(value, &op).second)
      twice.insert(value);
  });
  for (int64_t number : twice)
    placed.erase(number);
  placedIsValid = true;
  return placed;
}

void NumberedOps::remove(func::FuncOp function, bool wasScheduled) const {
  SmallVector<Operation *> made;
  visitInPlace(function.getBody(), [&](Operation &op) {
    bool here = op.hasAttr(kOpAttr) || op.hasAttr(kAroundAttr);
    op.removeAttr(kOpAttr);
    if (!here && (isa<linalg::LinalgOp>(op) || op.getNumRegions()))
      made.push_back(&op);
  });
  function.walk([](Operation *op) { op->removeAttr(kAroundAttr); });
  if (!wasScheduled)
    return;
  for (Operation *op : made)
    op->walk(removeOurs);
}

void eraseDead(func::FuncOp function) {
  SmallVector<Operation *> ops;
  visitInPlace(function.getBody(), [&](Operation &op) { ops.push_back(&op); });
  // Users come after what they use.
  for (Operation *op : llvm::reverse(ops))
    if (isOpTriviallyDead(op))
      op->erase();
}

} // namespace harl
