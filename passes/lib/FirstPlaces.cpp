//===- FirstPlaces.cpp - Elements and their places by one loop ------------===//
//
// A port of harl_mlir/codegen/first_places.py.
//
//===----------------------------------------------------------------------===//

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

/// A reduction that keeps what is beyond all others, from an infinity on.
struct Extremum {
  StringRef combiner;
  vector::CombiningKind kind;
  bool startsNegative;
  arith::CmpFPredicate beyond;
};

const Extremum kExtrema[] = {
    {arith::MaximumFOp::getOperationName(), vector::CombiningKind::MAXIMUMF,
     true, arith::CmpFPredicate::OGT},
    {arith::MinimumFOp::getOperationName(), vector::CombiningKind::MINIMUMF,
     false, arith::CmpFPredicate::OLT},
};

/// A loop over a row that searches the first place where `element` is as
/// `wanted`.
struct Search {
  scf::ForOp loop;
  Value element, wanted, place, none;
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
  auto hit = chosen ? chosen.getCondition().getDefiningOp<arith::CmpFOp>()
                    : nullptr;
  if (!hit || hit.getPredicate() != arith::CmpFPredicate::UEQ)
    return std::nullopt;
  Value none = loop.getInitArgs()[0], place = chosen.getTrueValue();
  if (!isSameSplat(none, chosen.getFalseValue()) || !grows(place, loop))
    return std::nullopt;
  return Search{loop, hit.getLhs(), hit.getRhs(), place, none};
}

/// The rows' greatest elements of which each fills a row of `wanted`; an
/// infinity stands for a NaN.
Value keptOf(Value wanted, const Extremum *&extremum) {
  Value spread = spreadFrom(wanted);
  auto chosen = spread ? spread.getDefiningOp<arith::SelectOp>() : nullptr;
  if (!chosen)
    return Value();
  Value kept = chosen.getFalseValue();
  auto isNan = chosen.getCondition().getDefiningOp<arith::CmpFOp>();
  if (!isNan || isNan.getPredicate() != arith::CmpFPredicate::UNO ||
      isNan.getLhs() != kept || isNan.getRhs() != kept)
    return Value();
  for (const Extremum &each : kExtrema)
    if (isInfinity(chosen.getTrueValue(), !each.startsNegative)) {
      extremum = &each;
      return kept;
    }
  return Value();
}

/// Whether `loop` keeps the greatest of the elements that are searched, in the
/// same steps.
bool goesAlong(scf::ForOp loop, Search &search, const Extremum &extremum) {
  Operation *combiner = resultOf(loop);
  if (!combiner || combiner->getName().getStringRef() != extremum.combiner ||
      !isInfinity(loop.getInitArgs()[0], extremum.startsNegative))
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

/// `loop` anew: it keeps the elements that are no NaNs, their places, and which
/// lanes had a NaN.
scf::ForOp withPlaces(scf::ForOp loop, Search &search,
                      const Extremum &extremum) {
  OpBuilder builder(loop);
  Location at = loop.getLoc();
  Value start = loop.getInitArgs()[0];
  Value old = search.loop.getInductionVar();
  auto lanes =
      cast<VectorType>(start.getType()).clone(builder.getI1Type());
  // A row of nothing but infinities has the first place.
  Value first = narrowed(builder, search.place, search.place, old,
                         loop.getLowerBound());
  Value noNan = filled(builder, at, lanes, builder.getBoolAttr(false));
  return scf::ForOp::create(
      builder, at, loop.getLowerBound(), loop.getUpperBound(), loop.getStep(),
      ValueRange{start, first, noNan},
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
        Value beyond = arith::CmpFOp::create(inside, place, extremum.beyond,
                                             read, carried[0]);
        Value isNan = arith::CmpFOp::create(
            inside, place, arith::CmpFPredicate::UNO, read, read);
        Value here =
            narrowed(inside, search.place, search.place, old, number);
        Value kept =
            arith::SelectOp::create(inside, place, beyond, read, carried[0]);
        Value taken =
            arith::SelectOp::create(inside, place, beyond, here, carried[1]);
        Value nans = arith::OrIOp::create(inside, place, carried[2], isNan);
        scf::YieldOp::create(inside, place, ValueRange{kept, taken, nans});
      });
}

/// Keep the places in `loop`; the search is left for vectors that hold a NaN.
void join(scf::ForOp loop, Search &search, const Extremum &extremum) {
  scf::ForOp made = withPlaces(loop, search, extremum);
  Value kept = made.getResult(0), places = made.getResult(1),
        nans = made.getResult(2);
  OpBuilder builder(loop);
  auto element = cast<FloatType>(getElementTypeOrSelf(kept));
  Value nan = filled(
      builder, loop.getLoc(), kept.getType(),
      builder.getFloatAttr(element,
                           APFloat::getQNaN(element.getFloatSemantics())));
  Value known =
      arith::SelectOp::create(builder, loop.getLoc(), nans, nan, kept);
  loop.getResult(0).replaceAllUsesWith(known);

  builder.setInsertionPoint(search.loop);
  Location at = search.loop.getLoc();
  Value none =
      arith::ConstantOp::create(builder, at, builder.getBoolAttr(false));
  SmallVector<bool> all(cast<VectorType>(nans.getType()).getRank(), true);
  Value any = vector::MultiDimReductionOp::create(
      builder, at, nans, none, all, vector::CombiningKind::OR);
  auto chosen = scf::IfOp::create(
      builder, at, any,
      [&](OpBuilder &inside, Location place) {
        Operation *searched = inside.clone(*search.loop);
        scf::YieldOp::create(inside, place, searched->getResults());
      },
      [&](OpBuilder &inside, Location place) {
        Value hit = arith::CmpFOp::create(
            inside, place, arith::CmpFPredicate::UEQ, kept, search.wanted);
        Value found =
            arith::SelectOp::create(inside, place, hit, places, search.none);
        scf::YieldOp::create(inside, place, found);
      });
  search.loop.getResult(0).replaceAllUsesWith(chosen.getResult(0));
  search.loop.erase();
  loop.erase();
}

struct FirstPlaces : public impl::FirstPlacesPassBase<FirstPlaces> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk<WalkOrder::PreOrder>(
        [&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp each : loops) {
      std::optional<Search> search = searchOf(each);
      const Extremum *extremum = nullptr;
      Value kept = search ? keptOf(search->wanted, extremum) : Value();
      if (!kept)
        continue;
      for (Value value : reducedTo(kept, extremum->combiner,
                                   extremum->kind)) {
        auto loop = value.getDefiningOp<scf::ForOp>();
        if (!loop || !goesAlong(loop, *search, *extremum))
          continue;
        join(loop, *search, *extremum);
        break;
      }
    }
  }
};

} // namespace
} // namespace harl
