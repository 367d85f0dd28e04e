//===- FirstPlaces.cpp - Elements and their places by one loop ------------===//
//
// A port of harl_mlir/codegen/first_places.py.
//
//===----------------------------------------------------------------------===//

#include "Extrema.h"
#include "RowLoops.h"
#include "harl/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

#include <optional>

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_FIRSTPLACESPASS
#include "harl/Passes.h.inc"

namespace {

/// A loop over a row that searches the first place where `element` is as
/// `wanted`.
struct Search {
  scf::ForOp loop;
  Value element, wanted, place, none;

  bool isFloat() const {
    return isa<FloatType>(getElementTypeOrSelf(element));
  }
  /// The predicate by which the comparison with `wanted` is of equals.
  int64_t equal() const {
    return isFloat() ? static_cast<int64_t>(arith::CmpFPredicate::UEQ)
                     : static_cast<int64_t>(arith::CmpIPredicate::eq);
  }
};

bool isSameSplat(Value one, Value other) {
  SplatElementsAttr first, second;
  return matchPattern(one, m_Constant(&first)) &&
         matchPattern(other, m_Constant(&second)) && first == second;
}

/// Whether all lanes of a place are the loop's step more at each step: a sum
/// that has its number once.
bool grows(Value place, scf::ForOp loop) {
  int count = 0;
  SmallVector<Value> stack = {place};
  while (!stack.empty()) {
    Value value = stack.pop_back_val();
    if (value == loop.getInductionVar()) {
      ++count;
      continue;
    }
    Operation *op = value.getDefiningOp();
    if (!isa_and_nonnull<arith::AddIOp, arith::ConstantOp, arith::IndexCastOp,
                         vector::StepOp, vector::BroadcastOp,
                         vector::ShapeCastOp>(op))
      return false;
    llvm::append_range(stack, op->getOperands());
  }
  return count == 1;
}

std::optional<Search> searchOf(scf::ForOp loop) {
  auto least = dyn_cast_or_null<arith::MinSIOp>(resultOf(loop));
  Value candidate =
      least ? otherOperand(least, loop.getRegionIterArgs()[0]) : Value();
  auto chosen =
      candidate ? candidate.getDefiningOp<arith::SelectOp>() : nullptr;
  Operation *hit = chosen ? chosen.getCondition().getDefiningOp() : nullptr;
  bool isEqual = false;
  if (auto floats = dyn_cast_or_null<arith::CmpFOp>(hit))
    isEqual = floats.getPredicate() == arith::CmpFPredicate::UEQ;
  else if (auto integers = dyn_cast_or_null<arith::CmpIOp>(hit))
    isEqual = integers.getPredicate() == arith::CmpIPredicate::eq;
  if (!isEqual)
    return std::nullopt;
  Value none = loop.getInitArgs()[0], place = chosen.getTrueValue();
  if (!isSameSplat(none, chosen.getFalseValue()) || !grows(place, loop))
    return std::nullopt;
  return Search{loop, hit->getOperand(0), hit->getOperand(1), place, none};
}

/// The rows' greatest elements, of which each fills a row of what is wanted; a
/// NaN became an infinity.
Value keptOf(const Search &search) {
  Value spread = spreadFrom(search.wanted);
  if (!search.isFloat())
    return spread;
  auto chosen = spread ? spread.getDefiningOp<arith::SelectOp>() : nullptr;
  if (!chosen)
    return Value();
  Value kept = chosen.getFalseValue();
  auto isNan = chosen.getCondition().getDefiningOp<arith::CmpFOp>();
  if (!isNan || isNan.getPredicate() != arith::CmpFPredicate::UNO ||
      isNan.getLhs() != kept || isNan.getRhs() != kept)
    return Value();
  bool isInfinite = isInfinity(chosen.getTrueValue(), false) ||
                    isInfinity(chosen.getTrueValue(), true);
  return isInfinite ? kept : Value();
}

/// Whether `loop` keeps the greatest of the elements that are searched, in the
/// same steps.
bool goesAlong(scf::ForOp loop, Search &search, const Extremum &extremum) {
  Operation *combiner = resultOf(loop);
  if (!combiner || combiner->getName().getStringRef() != extremum.combiner ||
      !isStart(loop.getInitArgs()[0], extremum))
    return false;
  if (!sameSteps(loop, search.loop))
    return false;
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> upper = getConstantIntValue(loop.getUpperBound());
  // Else there is no first place.
  if (!lower || !upper || *lower >= *upper)
    return false;
  Value element = otherOperand(combiner, loop.getRegionIterArgs()[0]);
  return element && isSame(element, search.element, loop.getInductionVar(),
                           search.loop.getInductionVar());
}

/// `place` computed anew with `number` for the loop's, in its own type and not
/// as indices, which are wider.
Value narrowed(OpBuilder &builder, Value place, Value value, Value induction,
               Value number) {
  Location at = place.getLoc();
  Type element = getElementTypeOrSelf(place);
  Type type = element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(element);
  Operation *op = value.getDefiningOp();
  if (value != induction && isa<arith::AddIOp, arith::IndexCastOp,
                                vector::BroadcastOp, vector::ShapeCastOp>(op)) {
    SmallVector<Value> parts;
    for (Value operand : op->getOperands())
      parts.push_back(narrowed(builder, place, operand, induction, number));
    if (isa<arith::IndexCastOp>(op))
      return parts[0];
    OperationState state(at, op->getName());
    state.addOperands(parts);
    state.addTypes(type);
    return builder.create(state)->getResult(0);
  }
  Value found =
      value == induction ? number : builder.clone(*op)->getResult(0);
  if (found.getType() == type)
    return found;
  return arith::IndexCastOp::create(builder, at, type, found);
}

Value filled(OpBuilder &builder, Location place, Type type, Attribute number) {
  return arith::ConstantOp::create(
      builder, place, SplatElementsAttr::get(cast<ShapedType>(type), number));
}

/// `loop` anew: it keeps elements that are no NaNs, their places and, of floats,
/// which lanes had a NaN.
scf::ForOp withPlaces(scf::ForOp loop, Search &search,
                      const Extremum &extremum) {
  OpBuilder builder(loop);
  Location at = loop.getLoc();
  Value start = loop.getInitArgs()[0];
  Value old = search.loop.getInductionVar();
  // A row of nothing but what it starts from has the first place.
  SmallVector<Value> below = {start, narrowed(builder, search.place,
                                              search.place, old,
                                              loop.getLowerBound())};
  if (extremum.isFloat()) {
    auto lanes = cast<VectorType>(start.getType()).clone(builder.getI1Type());
    below.push_back(filled(builder, at, lanes, builder.getBoolAttr(false)));
  }
  return scf::ForOp::create(
      builder, at, loop.getLowerBound(), loop.getUpperBound(), loop.getStep(),
      below,
      [&](OpBuilder &inside, Location place, Value number,
          ValueRange carried) {
        IRMapping values;
        values.map(loop.getInductionVar(), number);
        values.map(loop.getRegionIterArgs()[0], carried[0]);
        Operation *combiner = resultOf(loop);
        for (Operation &op : loop.getBody()->without_terminator())
          if (&op != combiner)
            inside.clone(op, values);
        Value read = values.lookupOrDefault(
            otherOperand(combiner, loop.getRegionIterArgs()[0]));
        Value beyond = compared(inside, place, extremum.isFloat(),
                                extremum.beyond, read, carried[0]);
        SmallVector<Value> nans(carried.drop_front(2));
        for (Value &lanes : nans) {
          Value isNan = arith::CmpFOp::create(
              inside, place, arith::CmpFPredicate::UNO, read, read);
          lanes = arith::OrIOp::create(inside, place, lanes, isNan);
        }
        Value here =
            narrowed(inside, search.place, search.place, old, number);
        SmallVector<Value> results = {
            arith::SelectOp::create(inside, place, beyond, read, carried[0]),
            arith::SelectOp::create(inside, place, beyond, here, carried[1])};
        results.append(nans);
        scf::YieldOp::create(inside, place, results);
      });
}

/// The places of the lanes that keep the greatest element of their row.
Value atGreatest(OpBuilder &builder, Location place, const Search &search,
                 Value kept, Value places) {
  Value hit = compared(builder, place, search.isFloat(), search.equal(), kept,
                       search.wanted);
  return arith::SelectOp::create(builder, place, hit, places, search.none);
}

/// The same where no lane had a NaN, else what the search finds.
Value foundOf(OpBuilder &builder, Search &search, Value kept, Value places,
              Value nans) {
  Location at = search.loop.getLoc();
  Value none =
      arith::ConstantOp::create(builder, at, builder.getBoolAttr(false));
  SmallVector<bool> all(cast<VectorType>(nans.getType()).getRank(), true);
  Value any = vector::MultiDimReductionOp::create(
      builder, at, nans, none, all, vector::CombiningKind::OR);
  return scf::IfOp::create(
             builder, at, any,
             [&](OpBuilder &inside, Location place) {
               Operation *searched = inside.clone(*search.loop);
               scf::YieldOp::create(inside, place, searched->getResults());
             },
             [&](OpBuilder &inside, Location place) {
               scf::YieldOp::create(
                   inside, place,
                   atGreatest(inside, place, search, kept, places));
             })
      .getResult(0);
}

/// Keep the places in `loop`; the search is left for vectors that hold a NaN.
void join(scf::ForOp loop, Search &search, const Extremum &extremum) {
  scf::ForOp made = withPlaces(loop, search, extremum);
  Value kept = made.getResult(0), places = made.getResult(1);
  ValueRange nans = made.getResults().drop_front(2);
  OpBuilder builder(loop);
  Value known = kept;
  for (Value lanes : nans) {
    auto element = cast<FloatType>(getElementTypeOrSelf(kept));
    Value nan = filled(
        builder, loop.getLoc(), kept.getType(),
        builder.getFloatAttr(element,
                             APFloat::getQNaN(element.getFloatSemantics())));
    known = arith::SelectOp::create(builder, loop.getLoc(), lanes, nan, kept);
  }
  loop.getResult(0).replaceAllUsesWith(known);
  builder.setInsertionPoint(search.loop);
  Value found = nans.empty()
                    ? atGreatest(builder, search.loop.getLoc(), search, kept,
                                 places)
                    : foundOf(builder, search, kept, places, nans[0]);
  search.loop.getResult(0).replaceAllUsesWith(found);
  search.loop.erase();
  loop.erase();
}

/// Joins the search with the loop that keeps what it looks for, if there is one.
void joinKeeper(Search &search, Value kept) {
  for (const Extremum &extremum : extrema())
    for (Value value : reducedTo(kept, extremum.combiner, extremum.kind))
      if (auto loop = value.getDefiningOp<scf::ForOp>())
        if (goesAlong(loop, search, extremum))
          return join(loop, search, extremum);
}

struct FirstPlaces : public impl::FirstPlacesPassBase<FirstPlaces> {
  void runOnOperation() override {
    for (scf::ForOp each : loops())
      keepLanes(each);
    for (scf::ForOp each : loops()) {
      std::optional<Search> search = searchOf(each);
      if (Value kept = search ? keptOf(*search) : Value())
        joinKeeper(*search, kept);
    }
  }

  SmallVector<scf::ForOp> loops() {
    SmallVector<scf::ForOp> found;
    getOperation().walk<WalkOrder::PreOrder>(
        [&](scf::ForOp loop) { found.push_back(loop); });
    return found;
  }
};

} // namespace
} // namespace harl
