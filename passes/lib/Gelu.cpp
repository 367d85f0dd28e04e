//===- Gelu.cpp - GELU as it is written -----------------------------------===//
//
// As harl_mlir/codegen/gelu.py does.
//
//===----------------------------------------------------------------------===//

#include "Gelu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;

namespace harl {
namespace {

/// Whether a value, or each element of it, is about that constant.
bool isNumber(Value value, double number) {
  FloatAttr constant;
  IntegerAttr whole;
  DenseFPElementsAttr elements;
  DenseIntElementsAttr wholes;
  double found;
  if (matchPattern(value, m_Constant(&constant)))
    found = constant.getValueAsDouble();
  else if (matchPattern(value, m_Constant(&whole)))
    found = static_cast<double>(whole.getInt());
  else if (matchPattern(value, m_Constant(&wholes)) && wholes.isSplat())
    found = wholes.getSplatValue<APInt>().signedRoundToDouble();
  else if (matchPattern(value, m_Constant(&elements)) && elements.isSplat())
    found = elements.getSplatValue<APFloat>().convertToDouble();
  else
    return false;
  return std::abs(found - number) <= 1e-6 * number;
}

/// Whether one of two values is `x`, and the other a constant.
bool are(Value left, Value right, Value x, double number) {
  return (left == x && isNumber(right, number)) ||
         (right == x && isNumber(left, number));
}

/// What is multiplied by that constant to give `value`; else null.
Value factorOf(Value value, double number) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  if (!product)
    return {};
  if (isNumber(product.getRhs(), number))
    return product.getLhs();
  return isNumber(product.getLhs(), number) ? product.getRhs() : Value();
}

/// What is divided by the square root of two, or multiplied by its
/// reciprocal, to give `value`; else null.
Value timesRootHalf(Value value) {
  if (auto quotient = value.getDefiningOp<arith::DivFOp>())
    return isNumber(quotient.getRhs(), std::sqrt(2.0)) ? quotient.getLhs()
                                                       : Value();
  return factorOf(value, std::sqrt(0.5));
}

/// Whether `value` is x^3, by two multiplications or by a power.
bool isCube(Value value, Value x) {
  Operation *made = value.getDefiningOp();
  if (made && isa<math::PowFOp, math::FPowIOp>(made))
    return made->getOperand(0) == x && isNumber(made->getOperand(1), 3);
  auto product = dyn_cast_or_null<arith::MulFOp>(made);
  if (!product || (product.getLhs() != x && product.getRhs() != x))
    return false;
  Value rest = product.getLhs() == x ? product.getRhs() : product.getLhs();
  auto square = rest.getDefiningOp<arith::MulFOp>();
  return square && square.getLhs() == x && square.getRhs() == x;
}

/// x, where `value` is sqrt(2 / pi) (x + 0.044715 x^3); else null.
Value bent(Value value) {
  Value inner = factorOf(value, std::sqrt(2.0 / 3.14159265358979323846));
  auto total = inner ? inner.getDefiningOp<arith::AddFOp>() : nullptr;
  if (!total)
    return {};
  for (auto [x, bend] : {std::pair(total.getLhs(), total.getRhs()),
                         std::pair(total.getRhs(), total.getLhs())}) {
    Value cube = factorOf(bend, 0.044715);
    if (cube && isCube(cube, x))
      return x;
  }
  return {};
}

/// The op of a kind that alone uses the result of `op`, once; else null.
template <typename Op>
Op onlyUse(Operation *op) {
  return op->hasOneUse() ? dyn_cast<Op>(*op->user_begin()) : Op();
}

/// The other operand of an op of two, of which `one` makes one.
Value other(Operation *op, Operation *one) {
  return op->getOperand(op->getOperand(0) == one->getResult(0) ? 1 : 0);
}

} // namespace

std::optional<Gelu> geluAround(Operation *op, bool byTanh) {
  StringRef name = "gelu";
  Value x;
  if (auto erf = dyn_cast<math::ErfOp>(op)) {
    x = timesRootHalf(erf.getOperand());
  } else if (auto tanh = dyn_cast<math::TanhOp>(op); tanh && byTanh) {
    name = "gelu_tanh";
    x = bent(tanh.getOperand());
  }
  auto oneMore = onlyUse<arith::AddFOp>(op);
  if (!x || !oneMore || !isNumber(other(oneMore, op), 1.0))
    return std::nullopt;
  auto product = onlyUse<arith::MulFOp>(oneMore);
  if (!product)
    return std::nullopt;
  Value factor = other(product, oneMore);
  auto half = factor.getDefiningOp<arith::MulFOp>();
  if (half && are(half.getLhs(), half.getRhs(), x, 0.5))
    return Gelu{{op, oneMore, product}, name, x};
  auto whole = onlyUse<arith::MulFOp>(product);
  if (whole && are(factor, other(whole, product), x, 0.5))
    return Gelu{{op, oneMore, product, whole}, name, x};
  return std::nullopt;
}

std::optional<Gelu> expInSigmoid(Operation *op) {
  auto minus = isa<math::ExpOp>(op)
                   ? op->getOperand(0).getDefiningOp<arith::NegFOp>()
                   : nullptr;
  auto oneMore = onlyUse<arith::AddFOp>(op);
  if (!minus || !oneMore || !isNumber(other(oneMore, op), 1.0))
    return std::nullopt;
  return Gelu{{op}, "exp_in_sigmoid", minus.getOperand()};
}

} // namespace harl
