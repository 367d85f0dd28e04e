//===- NarrowF64.cpp - Rounding of f64 to f16 and bf16 --------------------===//
//
// As harl_mlir/codegen/narrowing.py does, where it is told why.
//
//===----------------------------------------------------------------------===//

#include "NarrowF64.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace harl {

namespace {

Type like(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

Value number(OpBuilder &builder, Location loc, Type type, int32_t value) {
  TypedAttr attribute = builder.getI32IntegerAttr(value);
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = DenseElementsAttr::get(vector, Attribute(attribute));
  return arith::ConstantOp::create(builder, loc, type, attribute);
}

/// What a fused multiply-add makes, in f64.
Value inF64(OpBuilder &builder, math::FmaOp op) {
  Type wide = like(op.getType(), builder.getF64Type());
  SmallVector<Value, 3> operands;
  for (Value operand : op->getOperands())
    operands.push_back(
        arith::ExtFOp::create(builder, op.getLoc(), wide, operand));
  return math::FmaOp::create(builder, op.getLoc(), wide, operands);
}

/// `value` as f32; where that is not exact, the one of the two around it whose
/// last bit is set.
Value roundedToOdd(OpBuilder &builder, Location loc, Value value) {
  Type wide = value.getType();
  Type narrow = like(wide, builder.getF32Type());
  Type word = like(wide, builder.getI32Type());
  Value near = arith::TruncFOp::create(builder, loc, narrow, value);
  Value back = arith::ExtFOp::create(builder, loc, wide, near);
  Value bits = arith::BitcastOp::create(builder, loc, word, near);
  Value one = number(builder, loc, word, 1), zero = number(builder, loc, word, 0);
  // Neither for infinities nor for what is no number.
  Value inexact = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::ONE,
                                        back, value);
  Value last = arith::AndIOp::create(builder, loc, bits, one);
  Value even = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                     last, zero);
  Value change = arith::AndIOp::create(builder, loc, inexact, even);
  Value size = math::AbsFOp::create(builder, loc, back);
  Value given = math::AbsFOp::create(builder, loc, value);
  Value beyond = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT,
                                       size, given);
  Value inner = arith::SubIOp::create(builder, loc, bits, one);
  Value outer = arith::AddIOp::create(builder, loc, bits, one);
  Value other = arith::SelectOp::create(builder, loc, beyond, inner, outer);
  Value odd = arith::SelectOp::create(builder, loc, change, other, bits);
  return arith::BitcastOp::create(builder, loc, narrow, odd);
}

} // namespace

bool narrowsF64(Operation *op) {
  if (!isa<arith::TruncFOp, math::FmaOp>(op))
    return false;
  Type made = getElementTypeOrSelf(op->getResult(0).getType());
  return (made.isF16() || made.isBF16()) &&
         (isa<math::FmaOp>(op) ||
          getElementTypeOrSelf(op->getOperand(0).getType()).isF64());
}

void narrowInSteps(Operation *top) {
  top->walk([](Operation *op) {
    if (!narrowsF64(op))
      return;
    OpBuilder builder(op);
    Value value = op->getOperand(0);
    if (auto sum = dyn_cast<math::FmaOp>(op))
      value = inF64(builder, sum);
    Value odd = roundedToOdd(builder, op->getLoc(), value);
    Type type = op->getResult(0).getType();
    op->replaceAllUsesWith(
        arith::TruncFOp::create(builder, op->getLoc(), type, odd));
    op->erase();
  });
}

} // namespace harl
