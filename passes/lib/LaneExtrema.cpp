//===- LaneExtrema.cpp - The greatest or least of each lane ---------------===//
//
// A port of harl_mlir/codegen/lane_extrema.py.
//
//===----------------------------------------------------------------------===//

#include "Extrema.h"
#include "RowLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace harl {

/// What reduces a vector's rows to their extrema in each step of a loop, from
/// nothing but what they were before; null if nothing does.
static vector::MultiDimReductionOp extremaIn(scf::ForOp loop) {
  auto reduction =
      dyn_cast_or_null<vector::MultiDimReductionOp>(resultOf(loop));
  if (!reduction)
    return nullptr;
  Value before = loop.getRegionIterArgs()[0];
  bool isKnown = llvm::any_of(extrema(), [&](const Extremum &extremum) {
    return extremum.kind == reduction.getKind();
  });
  int64_t last = reduction.getSourceVectorType().getRank() - 1;
  bool isAlone = reduction.getAcc() == before &&
                 reduction.getSource() != before && before.hasOneUse() &&
                 reduction->hasOneUse();
  bool isOfRows = reduction.getReductionDims() == ArrayRef<int64_t>{last};
  return isKnown && isAlone && isOfRows ? reduction : nullptr;
}

/// A vector of the one number that a constant is of; null of other values.
static Value spreadOut(OpBuilder &builder, Value start, VectorType type) {
  Attribute number;
  if (!matchPattern(start, m_Constant(&number)))
    return Value();
  if (auto splat = dyn_cast<SplatElementsAttr>(number))
    number = splat.getSplatValue<Attribute>();
  if (!isa<IntegerAttr, FloatAttr>(number))
    return Value();
  return arith::ConstantOp::create(builder, start.getLoc(),
                                   SplatElementsAttr::get(type, number));
}

void keepLanes(scf::ForOp loop) {
  vector::MultiDimReductionOp reduction = extremaIn(loop);
  if (!reduction)
    return;
  OpBuilder builder(loop);
  Value start = loop.getInitArgs()[0];
  Value lanes = spreadOut(builder, start, reduction.getSourceVectorType());
  if (!lanes)
    return;
  auto made = scf::ForOp::create(
      builder, loop.getLoc(), loop.getLowerBound(), loop.getUpperBound(),
      loop.getStep(), lanes,
      [&](OpBuilder &inside, Location place, Value number, ValueRange carried) {
        IRMapping values;
        values.map(loop.getInductionVar(), number);
        for (Operation &op : loop.getBody()->without_terminator())
          if (&op != reduction)
            inside.clone(op, values);
        Value combined = vector::makeArithReduction(
            inside, place, reduction.getKind(),
            values.lookupOrDefault(reduction.getSource()), carried[0]);
        scf::YieldOp::create(inside, place, combined);
      });
  Value result = vector::MultiDimReductionOp::create(
      builder, loop.getLoc(), made.getResult(0), start,
      reduction.getReductionMask(), reduction.getKind());
  loop.getResult(0).replaceAllUsesWith(result);
  loop.erase();
}

} // namespace harl
