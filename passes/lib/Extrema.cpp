//===- Extrema.cpp - Reductions to the greatest or least element ----------===//

#include "Extrema.h"
#include "RowLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace harl {

using Kind = vector::CombiningKind;

static int64_t of(arith::CmpFPredicate predicate) {
  return static_cast<int64_t>(predicate);
}

static int64_t of(arith::CmpIPredicate predicate) {
  return static_cast<int64_t>(predicate);
}

bool Extremum::isFloat() const {
  return kind == Kind::MAXIMUMF || kind == Kind::MINIMUMF;
}

ArrayRef<Extremum> extrema() {
  static const Extremum all[] = {
      {arith::MaximumFOp::getOperationName(), Kind::MAXIMUMF,
       of(arith::CmpFPredicate::OGT)},
      {arith::MinimumFOp::getOperationName(), Kind::MINIMUMF,
       of(arith::CmpFPredicate::OLT)},
      {arith::MaxSIOp::getOperationName(), Kind::MAXSI,
       of(arith::CmpIPredicate::sgt)},
      {arith::MinSIOp::getOperationName(), Kind::MINSI,
       of(arith::CmpIPredicate::slt)},
      {arith::MaxUIOp::getOperationName(), Kind::MAXUI,
       of(arith::CmpIPredicate::ugt)},
      {arith::MinUIOp::getOperationName(), Kind::MINUI,
       of(arith::CmpIPredicate::ult)},
  };
  return all;
}

const Extremum *extremumOf(Operation *combiner) {
  for (const Extremum &each : extrema())
    if (combiner && combiner->getName().getStringRef() == each.combiner)
      return &each;
  return nullptr;
}

bool isStart(Value value, const Extremum &extremum) {
  if (extremum.isFloat())
    return isInfinity(value, extremum.kind == Kind::MAXIMUMF);
  APInt number;
  if (!matchPattern(value, m_ConstantInt(&number)))
    return false;
  switch (extremum.kind) {
  case Kind::MAXSI:
    return number.isMinSignedValue();
  case Kind::MINSI:
    return number.isMaxSignedValue();
  case Kind::MAXUI:
    return number.isZero();
  default:
    return number.isAllOnes();
  }
}

std::optional<int64_t> predicateOf(Operation *compare,
                                   const Extremum &extremum) {
  if (auto floats = dyn_cast_or_null<arith::CmpFOp>(compare);
      floats && extremum.isFloat())
    return of(floats.getPredicate());
  if (auto integers = dyn_cast_or_null<arith::CmpIOp>(compare);
      integers && !extremum.isFloat())
    return of(integers.getPredicate());
  return std::nullopt;
}

Value compared(OpBuilder &builder, Location place, bool isFloat,
               int64_t predicate, Value left, Value right) {
  if (isFloat)
    return arith::CmpFOp::create(builder, place,
                                 static_cast<arith::CmpFPredicate>(predicate),
                                 left, right);
  return arith::CmpIOp::create(builder, place,
                               static_cast<arith::CmpIPredicate>(predicate),
                               left, right);
}

} // namespace harl
