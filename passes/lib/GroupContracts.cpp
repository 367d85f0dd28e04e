//===- GroupContracts.cpp - Contractions of groups of numbers -------------===//
//
// As harl_mlir/codegen/group_contracts.py does.
//
//===----------------------------------------------------------------------===//

#include "GroupContracts.h"

#include "DotVectors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace harl {

namespace {

/// An operand of a contraction before it was widened, and broadcast to all
/// lanes.
Factor factorOf(vector::ContractionOp op, unsigned operand) {
  Factor factor{operand, op->getOperand(operand)};
  for (bool widens : {true, false, true}) {
    Operation *made = factor.value.getDefiningOp();
    if (!made ||
        !(widens ? isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(made)
                 : isa<vector::BroadcastOp>(made)) ||
        !isa<VectorType>(made->getOperand(0).getType()))
      continue;
    // A sign that was extended is part of a larger unsigned number.
    if (isa<arith::ExtSIOp>(made) && !factor.isSigned)
      break;
    factor.isSigned = factor.isSigned && !isa<arith::ExtUIOp>(made);
    factor.value = made->getOperand(0);
  }
  return factor;
}

std::optional<GroupContract> contractOf(vector::ContractionOp op) {
  if (isa<vector::MaskOp>(op->getParentOp()))
    return std::nullopt;
  MLIRContext *context = op.getContext();
  AffineExpr lane = getAffineDimExpr(0, context);
  AffineExpr step = getAffineDimExpr(1, context);
  AffineMap one = AffineMap::get(2, 0, {step}, context);
  AffineMap all = AffineMap::get(2, 0, {lane, step}, context);
  AffineMap sums = AffineMap::get(2, 0, {lane}, context);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  auto isFactor = [&](AffineMap map) { return map == one || map == all; };
  auto result = dyn_cast<VectorType>(op.getResultType());
  if (op.getKind() != vector::CombiningKind::ADD || maps[2] != sums ||
      !isFactor(maps[0]) || !isFactor(maps[1]) || !result)
    return std::nullopt;
  GroupContract found{op, factorOf(op, 0), factorOf(op, 1)};
  if (found.groups.type().getRank() < found.shared.type().getRank())
    std::swap(found.shared, found.groups);
  Type element = found.element();
  int64_t group = groupOf(element);
  Type wide = element.isBF16() ? Type(Float32Type::get(context))
                               : Type(IntegerType::get(context, 32));
  if (!group || result.getElementType() != wide ||
      found.shared.type() != VectorType::get({group}, element) ||
      found.groups.type() !=
          VectorType::get({result.getDimSize(0), group}, element) ||
      !(found.shared.isSigned || found.groups.isSigned))
    return std::nullopt;
  return found;
}

} // namespace

SmallVector<GroupContract> groupContracts(Operation *root,
                                          function_ref<bool(Type)> wanted) {
  SmallVector<GroupContract> found;
  root->walk([&](vector::ContractionOp op) {
    std::optional<GroupContract> contract = contractOf(op);
    if (contract && wanted(contract->element()))
      found.push_back(*contract);
  });
  return found;
}

} // namespace harl
