//===- ArgMax.cpp - Places of the rows' greatest elements -----------------===//
//
// The same as `harl_mlir/frontend/arg_max.py`, which says why.
//
//===----------------------------------------------------------------------===//

#include "Extrema.h"
#include "RowForms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

#include <limits>

using namespace mlir;

namespace harl {

static bool startsFrom(Value value, const Extremum &extremum) {
  auto fill = value.getDefiningOp<linalg::FillOp>();
  return fill && isStart(fill.value(), extremum);
}

static bool startsFromZero(Value value) {
  auto fill = value.getDefiningOp<linalg::FillOp>();
  APInt number;
  return fill && matchPattern(fill.value(), m_ConstantInt(&number)) &&
         number.isZero();
}

/// The op that keeps the element, in a body that does nothing but keep it and
/// its place.
static Operation *combinerOf(linalg::GenericOp op) {
  Block *body = op.getBody();
  if (llvm::range_size(body->getOperations()) != 6)
    return nullptr;
  Value element = body->getArgument(0), kept = body->getArgument(1);
  Operation *end = body->getTerminator();
  Operation *value = end->getOperand(0).getDefiningOp();
  auto chosen = end->getOperand(1).getDefiningOp<arith::SelectOp>();
  const Extremum *extremum = extremumOf(value);
  if (!extremum || !chosen)
    return nullptr;
  Operation *greater = chosen.getCondition().getDefiningOp();
  auto here = chosen.getTrueValue().getDefiningOp<arith::IndexCastOp>();
  bool takesBoth =
      (value->getOperand(0) == element && value->getOperand(1) == kept) ||
      (value->getOperand(0) == kept && value->getOperand(1) == element);
  if (!takesBoth || !here || chosen.getFalseValue() != body->getArgument(2) ||
      predicateOf(greater, *extremum) != extremum->beyond ||
      greater->getOperand(0) != element || greater->getOperand(1) != kept)
    return nullptr;
  auto index = here.getIn().getDefiningOp<linalg::IndexOp>();
  return index && index.getDim() + 1 == op.getNumLoops() ? value : nullptr;
}

static bool isRecognised(linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (op->getNumResults() != 2 || op->getNumOperands() != 3 ||
      maps[1] != maps[2])
    return false;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  unsigned rank = kinds.size();
  if (llvm::count(kinds, utils::IteratorType::reduction) != 1 ||
      kinds.back() != utils::IteratorType::reduction || rank < 2 ||
      op->getResult(1).use_empty())
    return false;
  AffineMap identity =
      AffineMap::getMultiDimIdentityMap(rank, op.getContext());
  if (maps[0] != identity || maps[1] != identity.dropResult(rank - 1))
    return false;
  if (!llvm::all_of(op->getOperandTypes(), [](Type type) {
        auto tensor = dyn_cast<RankedTensorType>(type);
        return tensor && tensor.hasStaticShape();
      }))
    return false;
  auto type = cast<RankedTensorType>(op->getOperand(0).getType());
  int64_t length = type.getShape().back();
  if (length <= 1 || length > std::numeric_limits<int32_t>::max() ||
      !getElementTypeOrSelf(op->getOperand(2)).isSignlessInteger() ||
      type.getElementType() != getElementTypeOrSelf(op->getOperand(1)))
    return false;
  if (auto integer = dyn_cast<IntegerType>(type.getElementType()))
    if (!llvm::is_contained({8u, 16u, 32u, 64u}, integer.getWidth()))
      return false;
  Operation *combiner = combinerOf(op);
  return combiner && startsFrom(op->getOperand(1), *extremumOf(combiner)) &&
         startsFromZero(op->getOperand(2));
}

/// A generic over the elements of `value` with results of another type.
static Value
mapEach(OpBuilder &builder, Location place, Value value, RankedTensorType type,
        llvm::function_ref<Value(OpBuilder &, Location, Value)> body) {
  Value empty = tensor::EmptyOp::create(builder, place, type.getShape(),
                                        type.getElementType());
  AffineMap map = AffineMap::getMultiDimIdentityMap(type.getRank(),
                                                    builder.getContext());
  SmallVector<utils::IteratorType> kinds(type.getRank(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, place, TypeRange(type), value, empty,
             ArrayRef<AffineMap>{map, map}, kinds,
             [&](OpBuilder &inside, Location inner, ValueRange arguments) {
               linalg::YieldOp::create(inside, inner,
                                       body(inside, inner, arguments[0]));
             })
      .getResult(0);
}

/// The rows' greatest elements alone.
static Value elementsOf(OpBuilder &builder, linalg::GenericOp op,
                        Operation *combiner) {
  return linalg::GenericOp::create(
             builder, op.getLoc(), op->getResult(0).getType(),
             op->getOperand(0), op->getOperand(1),
             ArrayRef<AffineMap>(op.getIndexingMapsArray()).take_front(2),
             op.getIteratorTypesArray(),
             [&](OpBuilder &inside, Location inner, ValueRange arguments) {
               IRMapping taken;
               taken.map(op.getBody()->getArguments().take_front(2), arguments);
               linalg::YieldOp::create(
                   inside, inner, inside.clone(*combiner, taken)->getResult(0));
             })
      .getResult(0);
}

/// What the elements are compared with: those kept, or infinity for a NaN. A
/// NaN compares as equal.
static Value wantedOf(OpBuilder &builder, Location place, Value kept,
                      const Extremum &extremum) {
  if (!extremum.isFloat())
    return kept;
  auto element = cast<FloatType>(getElementTypeOrSelf(kept));
  bool negative = extremum.kind == vector::CombiningKind::MINIMUMF;
  Value infinity = arith::ConstantOp::create(
      builder, place,
      builder.getFloatAttr(
          element, APFloat::getInf(element.getFloatSemantics(), negative)));
  return mapEach(
      builder, place, kept, cast<RankedTensorType>(kept.getType()),
      [&](OpBuilder &inside, Location inner, Value value) -> Value {
        Value isNan = arith::CmpFOp::create(
            inside, inner, arith::CmpFPredicate::UNO, value, value);
        return arith::SelectOp::create(inside, inner, isNan, infinity, value);
      });
}

/// The first places where the rows' elements are those kept, as i32.
static Value placesOf(OpBuilder &builder, linalg::GenericOp op, Value kept,
                      const Extremum &extremum) {
  Location place = op.getLoc();
  Type i32 = builder.getI32Type();
  auto type = cast<RankedTensorType>(op->getResult(1).getType());
  Value none = arith::ConstantOp::create(
      builder, place,
      builder.getI32IntegerAttr(std::numeric_limits<int32_t>::max()));
  Value empty = tensor::EmptyOp::create(builder, place, type.getShape(), i32);
  Value start =
      linalg::FillOp::create(builder, place, none, empty).getResult(0);
  Value wanted = wantedOf(builder, place, kept, extremum);
  bool isFloat = extremum.isFloat();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  int64_t equal = isFloat ? static_cast<int64_t>(arith::CmpFPredicate::UEQ)
                          : static_cast<int64_t>(arith::CmpIPredicate::eq);
  return linalg::GenericOp::create(
             builder, place, start.getType(),
             ValueRange{op->getOperand(0), wanted}, start,
             ArrayRef<AffineMap>{maps[0], maps[1], maps[1]},
             op.getIteratorTypesArray(),
             [&](OpBuilder &inside, Location inner, ValueRange arguments) {
               Value number = linalg::IndexOp::create(inside, inner,
                                                      op.getNumLoops() - 1);
               Value here =
                   arith::IndexCastOp::create(inside, inner, i32, number);
               Value hit = compared(inside, inner, isFloat, equal,
                                    arguments[0], arguments[1]);
               Value candidate =
                   arith::SelectOp::create(inside, inner, hit, here, none);
               Value least = arith::MinSIOp::create(inside, inner, candidate,
                                                    arguments[2]);
               linalg::YieldOp::create(inside, inner, least);
             })
      .getResult(0);
}

void splitArgMax(linalg::GenericOp op, bool strict) {
  if (!isRecognised(op))
    return;
  Operation *combiner = combinerOf(op);
  const Extremum &extremum = *extremumOf(combiner);
  if (strict && extremum.isFloat())
    return;
  OpBuilder builder(op);
  Location place = op.getLoc();
  Value kept = elementsOf(builder, op, combiner);
  Value places = placesOf(builder, op, kept, extremum);
  auto type = cast<RankedTensorType>(op->getResult(1).getType());
  Type element = type.getElementType();
  if (element != builder.getI32Type())
    places = mapEach(
        builder, place, places, type,
        [&](OpBuilder &inside, Location inner, Value value) -> Value {
          if (element.getIntOrFloatBitWidth() < 32)
            return arith::TruncIOp::create(inside, inner, element, value);
          return arith::ExtSIOp::create(inside, inner, element, value);
        });
  op->getResult(0).replaceAllUsesWith(kept);
  op->getResult(1).replaceAllUsesWith(places);
  op.erase();
}

} // namespace harl
