//===- Padding.cpp - The padding of a contraction's operand ---------------===//

#include "Padding.h"
#include "AttributeText.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

static bool isInput(OpOperand &use, Block *block) {
  Operation *user = use.getOwner();
  return isa<linalg::LinalgDialect>(user->getDialect()) &&
         user->getBlock() == block &&
         use.getOperandNumber() + 1 < user->getNumOperands();
}

static bool isNegative(int64_t count) { return count < 0; }

/// Whether it pads something of a known size and type, on no side by less than
/// nothing, and is read once.
static bool isPlain(tensor::PadOp pad) {
  RankedTensorType given = pad.getSourceType(), made = pad.getResultType();
  return pad->getNumOperands() == 1 && pad->hasOneUse() &&
         isInput(*pad->use_begin(), pad->getBlock()) &&
         !pad.getSource().getDefiningOp<linalg::FillOp>() &&
         given.getRank() > 0 && given.hasStaticShape() &&
         made.hasStaticShape() && !made.getEncoding() &&
         isSupportedElement(made.getElementType()) &&
         !llvm::is_contained(given.getShape(), 0) &&
         llvm::none_of(pad.getStaticLow(), isNegative) &&
         llvm::none_of(pad.getStaticHigh(), isNegative);
}

static OperandFacts operandOf(RankedTensorType type, ArrayRef<int64_t> low) {
  OperandFacts operand;
  operand.shape.assign(type.getShape().begin(), type.getShape().end());
  operand.element = printed(type.getElementType());
  for (auto [d, by] : llvm::enumerate(low)) {
    AffineRow row(low.size() + 1, 0);
    row[d] = 1;
    row.back() = -by;
    operand.map.push_back(std::move(row));
  }
  return operand;
}

std::optional<LinalgFacts> paddingFacts(Operation *op) {
  auto pad = dyn_cast_or_null<tensor::PadOp>(op);
  if (!pad || !isPlain(pad))
    return std::nullopt;
  Attribute number = constantNumber(
      pad.getBody()->getTerminator()->getOperand(0).getDefiningOp());
  if (!number)
    return std::nullopt;
  auto real = dyn_cast<FloatAttr>(number);
  std::string value = real ? constantText(real)
                           : constantText(cast<IntegerAttr>(number));
  RankedTensorType made = pad.getResultType();
  LinalgFacts facts;
  facts.dims.assign(made.getShape().begin(), made.getShape().end());
  facts.isReduction.assign(facts.dims.size(), false);
  facts.operands.push_back(operandOf(pad.getSourceType(), pad.getStaticLow()));
  facts.operands.push_back(
      operandOf(made, SmallVector<int64_t>(made.getRank(), 0)));
  std::string element = facts.operands.back().element;
  facts.body.push_back(
      {"arith.constant", {}, element, {{"value", std::move(value)}}});
  facts.body.push_back({"tensor.pad", {0, 2}, element, {}});
  facts.yields = 3;
  return facts;
}

} // namespace harl
