//===- Linear.cpp - Indices as sums of multiples of other values ----------===//
//
// As harl_mlir/codegen/linear.py.
//
//===----------------------------------------------------------------------===//

#include "Linear.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/AffineExpr.h"

#include <optional>

using namespace mlir;

namespace harl {

namespace {

Linear sumOf(const Linear &left, const Linear &right) {
  Linear sum = left;
  sum.constant += right.constant;
  for (auto [value, factor] : right.factors) {
    sum.factors[value] += factor;
    if (!sum.factors[value])
      sum.factors.erase(value);
  }
  return sum;
}

std::optional<Linear> productOf(const Linear &left, const Linear &right) {
  if (!left.factors.empty() && !right.factors.empty())
    return std::nullopt;
  const Linear &number = left.factors.empty() ? left : right;
  const Linear &other = left.factors.empty() ? right : left;
  Linear product;
  product.constant = other.constant * number.constant;
  if (number.constant)
    for (auto [value, factor] : other.factors)
      product.factors[value] = factor * number.constant;
  return product;
}

std::optional<Linear> linearOf(AffineExpr expression, ArrayRef<Linear> given,
                               unsigned dims) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return Linear{constant.getValue(), {}};
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return given[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expression))
    return given[dims + symbol.getPosition()];
  auto both = dyn_cast<AffineBinaryOpExpr>(expression);
  if (!both || (both.getKind() != AffineExprKind::Add &&
                both.getKind() != AffineExprKind::Mul))
    return std::nullopt;
  std::optional<Linear> left = linearOf(both.getLHS(), given, dims);
  std::optional<Linear> right = linearOf(both.getRHS(), given, dims);
  if (!left || !right)
    return std::nullopt;
  if (both.getKind() == AffineExprKind::Add)
    return sumOf(*left, *right);
  return productOf(*left, *right);
}

} // namespace

Linear linearOf(Value value) {
  if (auto number = getConstantIntValue(value))
    return Linear{*number, {}};
  std::optional<Linear> found;
  if (auto add = value.getDefiningOp<arith::AddIOp>()) {
    found = sumOf(linearOf(add.getLhs()), linearOf(add.getRhs()));
  } else if (auto multiply = value.getDefiningOp<arith::MulIOp>()) {
    found = productOf(linearOf(multiply.getLhs()), linearOf(multiply.getRhs()));
  } else if (auto apply = value.getDefiningOp<affine::AffineApplyOp>()) {
    SmallVector<Linear> given;
    for (Value operand : apply.getMapOperands())
      given.push_back(linearOf(operand));
    AffineMap map = apply.getAffineMap();
    found = linearOf(map.getResult(0), given, map.getNumDims());
  }
  if (found)
    return *found;
  Linear self;
  self.factors[value] = 1;
  return self;
}

} // namespace harl
