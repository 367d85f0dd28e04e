//===- OnlineSums.cpp - Greatest elements and sums in one go --------------===//
//
// A port of harl_mlir/codegen/online_sums.py.
//
//===----------------------------------------------------------------------===//

#include "OnlineLoops.h"
#include "RowLoops.h"
#include "RowPieces.h"
#include "harl/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

#include <optional>

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_ONLINESUMSPASS
#include "harl/Passes.h.inc"

namespace {

constexpr StringLiteral kOnlineAttr = "harl.online";

/// A row's sum of exp(element - greatest), and what it is found with: the loop
/// that adds the exponentials up, the one that finds the greatest elements,
/// what is subtracted in each lane, and the loop that keeps the exponentials,
/// if they are kept.
struct Sum {
  scf::ForOp loop, most;
  Value greatest;
  scf::ForOp writer;
  Kept kept;
};

/// The loop that finds the greatest of these elements, of which each row of
/// `wanted` is full.
scf::ForOp greatestOf(Value wanted, Value element, scf::ForOp within) {
  Value kept = spreadFrom(wanted);
  if (!kept)
    return {};
  for (Value value :
       reducedTo(kept, arith::MaximumFOp::getOperationName(),
                 vector::CombiningKind::MAXIMUMF)) {
    auto loop = value.getDefiningOp<scf::ForOp>();
    auto keeping =
        loop ? dyn_cast_or_null<arith::MaximumFOp>(resultOf(loop)) : nullptr;
    if (!keeping || !sameSteps(loop, within) ||
        !isInfinity(loop.getInitArgs()[0], /*negative=*/true))
      continue;
    Value found = otherOperand(keeping, loop.getRegionIterArgs()[0]);
    if (found && isSame(found, element, loop.getInductionVar(),
                        within.getInductionVar()))
      return loop;
  }
  return {};
}

/// The loop that writes what is read, which other ops may have written beside
/// since.
scf::ForOp writerOf(vector::TransferReadOp read) {
  std::optional<Ranges> place = rangesOf(read);
  return place ? beforeAt(read.getBase(), *place).getDefiningOp<scf::ForOp>()
               : nullptr;
}

std::optional<Sum> sumOf(scf::ForOp loop) {
  auto adding = dyn_cast_or_null<arith::AddFOp>(resultOf(loop));
  if (!adding || !matchPattern(loop.getInitArgs()[0], m_AnyZeroFloat()) ||
      !loop.getRegionIterArgs()[0].hasOneUse())
    return std::nullopt;
  Value element = otherOperand(adding, loop.getRegionIterArgs()[0]);
  if (!element)
    return std::nullopt;
  Sum sum{loop, {}, {}, {}, {}};
  scf::ForOp within = loop;
  auto read = element.getDefiningOp<vector::TransferReadOp>();
  if (scf::ForOp writer = read ? writerOf(read) : nullptr) {
    std::optional<Kept> kept = keptBy(writer, read);
    if (!kept || !sameSteps(writer, loop))
      return std::nullopt;
    for (Reader &reader : kept->readers)
      if (!divisionOf(reader.read, loop.getResult(0)))
        return std::nullopt;
    sum.kept = *kept;
    sum.writer = within = writer;
    element = kept->write.getVector();
  }
  auto power = element.getDefiningOp<math::ExpOp>();
  auto less =
      power ? power.getOperand().getDefiningOp<arith::SubFOp>() : nullptr;
  if (!less || power->getBlock() != within.getBody() ||
      less->getBlock() != within.getBody())
    return std::nullopt;
  sum.greatest = less.getRhs();
  sum.most = greatestOf(less.getRhs(), less.getLhs(), within);
  if (!sum.most)
    return std::nullopt;
  return sum;
}

/// What is needed to write the exponentials, but for the loop's number.
SmallVector<Value> neededBy(Sum &sum) {
  SmallVector<Value> needed;
  if (!sum.writer)
    return needed;
  needed.push_back(sum.writer.getInitArgs()[0]);
  for (Value index : sum.kept.write.getIndices())
    if (index != sum.writer.getInductionVar())
      needed.push_back(index);
  return needed;
}

/// The element of which `loop` finds the greatest, anew for another number.
Value elementOf(OpBuilder &builder, scf::ForOp loop, Value number) {
  Operation *keeping = resultOf(loop);
  IRMapping values;
  values.map(loop.getInductionVar(), number);
  for (Operation &op : loop.getBody()->without_terminator())
    if (&op != keeping)
      builder.clone(op, values);
  return values.lookupOrDefault(
      otherOperand(keeping, loop.getRegionIterArgs()[0]));
}

Value filled(OpBuilder &builder, Location at, Type type, APFloat number) {
  return arith::ConstantOp::create(
      builder, at, SplatElementsAttr::get(cast<ShapedType>(type), number));
}

/// A chunk's share of all that is carried.
SmallVector<Value> stepOf(OpBuilder &builder, Location at, Sum &sum,
                          const Chunks &chunks, Value begin,
                          ValueRange carried) {
  Value before = carried[0], total = carried[1];
  Value end = chunks.end(builder, at, begin);
  auto finding = scf::ForOp::create(
      builder, at, begin, end, chunks.inner, before,
      [&](OpBuilder &inside, Location place, Value number, ValueRange most) {
        Value element = elementOf(inside, sum.most, number);
        Value kept =
            arith::MaximumFOp::create(inside, place, element, most[0]);
        scf::YieldOp::create(inside, place, kept);
      });
  Value now = finding.getResult(0);
  // Of infinities alone: exp(x - 0) is zero, and exp(x - x) were no number.
  const llvm::fltSemantics &kind =
      cast<FloatType>(getElementTypeOrSelf(now)).getFloatSemantics();
  Value lowest = filled(builder, at, now.getType(),
                        APFloat::getInf(kind, /*Negative=*/true));
  Value zero = filled(builder, at, now.getType(), APFloat::getZero(kind));
  Value isLowest = arith::CmpFOp::create(
      builder, at, arith::CmpFPredicate::OEQ, now, lowest);
  Value base = arith::SelectOp::create(builder, at, isLowest, zero, now);
  Value fallen = arith::SubFOp::create(builder, at, before, base);
  Value factor = math::ExpOp::create(builder, at, fallen);
  SmallVector<Value> starts = {
      arith::MulFOp::create(builder, at, total, factor)};
  if (sum.writer)
    starts.push_back(carried[2]);
  auto adding = scf::ForOp::create(
      builder, at, begin, end, chunks.inner, starts,
      [&](OpBuilder &inside, Location place, Value number, ValueRange inner) {
        Value element = elementOf(inside, sum.most, number);
        Value less = arith::SubFOp::create(inside, place, element, base);
        Value power = math::ExpOp::create(inside, place, less);
        SmallVector<Value> results = {
            arith::AddFOp::create(inside, place, power, inner[0])};
        if (sum.writer) {
          IRMapping values;
          values.map(sum.kept.write.getVector(), power);
          values.map(sum.kept.write.getBase(), inner[1]);
          values.map(sum.writer.getInductionVar(), number);
          Operation *copy = inside.clone(*sum.kept.write, values);
          results.push_back(copy->getResult(0));
        }
        scf::YieldOp::create(inside, place, results);
      });
  SmallVector<Value> results = {now};
  llvm::append_range(results, adding.getResults());
  if (sum.writer)
    results.push_back(chunks.put(builder, at, now, carried[3], begin));
  return results;
}

/// Make one loop of those that find the greatest elements and the sums, and
/// write the exponentials.
void join(Sum &sum, const Chunks &chunks) {
  scf::ForOp most = sum.most, loop = sum.loop;
  Location at = most.getLoc();
  for (Value value : neededBy(sum))
    if (Operation *maker = value.getDefiningOp();
        maker && maker->getBlock() == most->getBlock() &&
        most->isBeforeInBlock(maker))
      maker->moveBefore(most);
  OpBuilder builder(most);
  auto type = cast<VectorType>(loop.getInitArgs()[0].getType());
  const llvm::fltSemantics &kind =
      cast<FloatType>(type.getElementType()).getFloatSemantics();
  SmallVector<Value> below = {
      most.getInitArgs()[0],
      filled(builder, at, type, APFloat::getZero(kind))};
  if (sum.writer) {
    below.push_back(sum.writer.getInitArgs()[0]);
    below.push_back(chunks.empty(builder, at, type));
  }
  auto made = scf::ForOp::create(
      builder, at, chunks.lower, chunks.upper, chunks.step, below,
      [&](OpBuilder &inside, Location place, Value begin,
          ValueRange carried) {
        scf::YieldOp::create(
            inside, place,
            stepOf(inside, place, sum, chunks, begin, carried));
      });
  builder.setInsertionPoint(loop);
  Location end = loop.getLoc();
  Value wanted = spreadAnew(builder, sum.greatest);
  Value fallen =
      arith::SubFOp::create(builder, end, made.getResult(0), wanted);
  Value factor = math::ExpOp::create(builder, end, fallen);
  Value total =
      arith::MulFOp::create(builder, end, made.getResult(1), factor);
  loop.getResult(0).replaceAllUsesWith(total);
  loop.erase();
  if (sum.writer)
    sum.writer.getResult(0).replaceAllUsesWith(made.getResult(2));
  for (Reader &reader : sum.kept.readers)
    chunks.scale(reader, sum.greatest, total, made.getResult(3));
  most.getResult(0).replaceAllUsesWith(made.getResult(0));
  most.erase();
  if (sum.writer)
    sum.writer.erase();
}

/// Joins the first loops that can be.
bool joinOne(Block *block, int64_t elements) {
  for (auto loop : block->getOps<scf::ForOp>()) {
    std::optional<Sum> sum = sumOf(loop);
    if (!sum || !llvm::all_of(neededBy(*sum), [&](Value value) {
          return mayStand(value, sum->most);
        }))
      continue;
    std::optional<Chunks> chunks = Chunks::of(sum->most, elements);
    if (!chunks)
      continue;
    join(*sum, *chunks);
    return true;
  }
  return false;
}

struct OnlineSums : public impl::OnlineSumsPassBase<OnlineSums> {
  void runOnOperation() override {
    SmallVector<scf::ForallOp> marked;
    getOperation().walk<WalkOrder::PreOrder>([&](scf::ForallOp forall) {
      if (forall->hasAttrOfType<IntegerAttr>(kOnlineAttr))
        marked.push_back(forall);
    });
    for (scf::ForallOp forall : marked) {
      int64_t elements =
          forall->getAttrOfType<IntegerAttr>(kOnlineAttr).getInt();
      forall->removeDiscardableAttr(kOnlineAttr);
      carryWholeRows(forall.getBody());
      while (joinOne(forall.getBody(), elements)) {
      }
    }
  }
};

} // namespace
} // namespace harl
