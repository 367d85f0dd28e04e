//===- RowLoops.cpp - Loops over the vectors of a row ---------------------===//

#include "RowLoops.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace harl {

Operation *resultOf(scf::ForOp loop) {
  if (loop.getNumResults() != 1)
    return nullptr;
  Operation *op = loop.getYieldedValues()[0].getDefiningOp();
  return op && op->getBlock() == loop.getBody() ? op : nullptr;
}

Value otherOperand(Operation *op, Value one) {
  if (op->getNumOperands() != 2 || op->getOperand(0) == op->getOperand(1))
    return Value();
  if (op->getOperand(0) == one)
    return op->getOperand(1);
  return op->getOperand(1) == one ? op->getOperand(0) : Value();
}

bool isInfinity(Value value, bool negative) {
  FloatAttr number;
  SplatElementsAttr splat;
  APFloat found(0.0f);
  if (matchPattern(value, m_Constant(&number)))
    found = number.getValue();
  else if (matchPattern(value, m_Constant(&splat)) &&
           isa<FloatType>(splat.getElementType()))
    found = splat.getSplatValue<APFloat>();
  return found.isInfinity() && found.isNegative() == negative;
}

SmallVector<Value> reducedTo(Value kept, StringRef combiner,
                             vector::CombiningKind kind) {
  SmallVector<Value> found, stack = {kept};
  while (!stack.empty()) {
    Operation *op = stack.pop_back_val().getDefiningOp();
    if (!op)
      continue;
    if (op->getName().getStringRef() == combiner) {
      llvm::append_range(stack, op->getOperands());
    } else if (auto reduction = dyn_cast<vector::MultiDimReductionOp>(op);
               reduction && reduction.getKind() == kind) {
      int64_t last = reduction.getSourceVectorType().getRank() - 1;
      if (reduction.getReductionDims() == ArrayRef<int64_t>{last}) {
        found.push_back(reduction.getSource());
        stack.push_back(reduction.getAcc());
      }
    }
  }
  return found;
}

bool sameSteps(scf::ForOp loop, scf::ForOp other) {
  return loop.getLowerBound() == other.getLowerBound() &&
         loop.getUpperBound() == other.getUpperBound() &&
         loop.getStep() == other.getStep() &&
         loop->getBlock() == other->getBlock();
}

bool isSame(Value value, Value other, Value from, Value to) {
  if ((value == from ? to : value) == other)
    return true;
  Operation *one = value.getDefiningOp(), *two = other.getDefiningOp();
  if (!isa_and_nonnull<vector::TransferReadOp, affine::AffineApplyOp,
                       arith::AddIOp, arith::ConstantOp, ub::PoisonOp>(one) ||
      !two || one->getName() != two->getName() ||
      value.getType() != other.getType() ||
      one->getAttrDictionary() != two->getAttrDictionary() ||
      one->getNumOperands() != two->getNumOperands())
    return false;
  for (auto [a, b] : llvm::zip_equal(one->getOperands(), two->getOperands()))
    if (!isSame(a, b, from, to))
      return false;
  return true;
}

Value spreadFrom(Value value) {
  auto turned = value.getDefiningOp<vector::TransposeOp>();
  if (turned) {
    ArrayRef<int64_t> order = turned.getPermutation();
    for (auto [place, from] : llvm::enumerate(order))
      if (from != static_cast<int64_t>((place + 1) % order.size()))
        return Value();
    value = turned.getVector();
  }
  auto spread = value.getDefiningOp<vector::BroadcastOp>();
  if (!spread)
    return Value();
  Value kept = spread.getSource();
  if (auto rows = dyn_cast<VectorType>(kept.getType());
      rows && !turned && rows.getNumElements() > 1)
    return Value();
  return kept;
}

} // namespace harl
