//===- WideSums.cpp - Sums of narrow numbers kept in f32 ------------------===//

#include "WideSums.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace harl {

namespace {

/// Whether an op adds to a tensor of narrow numbers what follows from such by
/// arithmetic that rounds.
bool isNarrowSum(linalg::LinalgOp op) {
  if (op->getNumResults() != 1 || op.getNumReductionLoops() == 0)
    return false;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape())
    return false;
  Type element = type.getElementType();
  if (!element.isF16() && !element.isBF16())
    return false;
  Block *body = op.getBlock();
  Value total = body->getArguments().back();
  Operation *end = body->getTerminator();
  Value sum = end->getOperand(0);
  auto last = sum.getDefiningOp<arith::AddFOp>();
  if (!last || (last.getLhs() != total && last.getRhs() != total) ||
      !total.hasOneUse() || !sum.hasOneUse())
    return false;
  return llvm::all_of(body->without_terminator(), [&](Operation &inner) {
    return isa<arith::AddFOp, arith::MulFOp, arith::NegFOp, arith::SubFOp>(
               inner) &&
           llvm::all_of(inner.getOperands(), [&](Value operand) {
             return operand.getType() == element &&
                    operand.getParentBlock() == body;
           });
  });
}

/// The number of a fill in f32.
Value startOf(OpBuilder &builder, linalg::FillOp fill) {
  Type wide = builder.getF32Type();
  Value number = fill.getInputs().front();
  FloatAttr constant;
  if (!matchPattern(number, m_Constant(&constant)))
    return arith::ExtFOp::create(builder, fill.getLoc(), wide, number);
  return arith::ConstantOp::create(
      builder, fill.getLoc(),
      builder.getFloatAttr(wide, constant.getValueAsDouble()));
}

/// The sums, which are of f32, with what they were to be added to, rounded.
Value rounded(OpBuilder &builder, Location place, ValueRange terms,
              RankedTensorType narrow) {
  Value empty = tensor::EmptyOp::create(builder, place, narrow.getShape(),
                                        narrow.getElementType());
  SmallVector<AffineMap> maps(
      terms.size() + 1, builder.getMultiDimIdentityMap(narrow.getRank()));
  SmallVector<utils::IteratorType> loops(narrow.getRank(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, place, narrow, terms, empty, maps, loops,
             [&](OpBuilder &body, Location place, ValueRange numbers) {
               Value total = numbers.front();
               for (Value other : numbers.drop_front().drop_back()) {
                 Value wide =
                     arith::ExtFOp::create(body, place, total.getType(), other);
                 total = arith::AddFOp::create(body, place, total, wide);
               }
               Value number = arith::TruncFOp::create(
                   body, place, narrow.getElementType(), total);
               linalg::YieldOp::create(body, place, number);
             })
      .getResult(0);
}

void widen(linalg::LinalgOp op) {
  OpBuilder builder(op);
  Location place = op.getLoc();
  Value init = op.getDpsInits().front();
  auto narrow = cast<RankedTensorType>(init.getType());
  Type wide = builder.getF32Type();
  auto fill = init.getDefiningOp<linalg::FillOp>();
  Value number = fill ? startOf(builder, fill)
                      : arith::ConstantOp::create(
                            builder, place, builder.getFloatAttr(wide, 0.0));
  Value empty =
      tensor::EmptyOp::create(builder, place, narrow.getShape(), wide);
  Value start =
      linalg::FillOp::create(builder, place, number, empty).getResult(0);
  Block *given = op.getBlock();
  auto made = linalg::GenericOp::create(
      builder, place, start.getType(), op.getDpsInputs(), start,
      op.getIndexingMapsArray(), op.getIteratorTypesArray(),
      [&](OpBuilder &body, Location place, ValueRange numbers) {
        IRMapping values;
        for (auto [old, number] :
             llvm::zip_equal(given->getArguments(), numbers)) {
          if (old.use_empty())
            continue;
          values.map(old, number.getType() == wide
                              ? number
                              : arith::ExtFOp::create(body, place, wide, number)
                                    .getResult());
        }
        for (Operation &inner : given->without_terminator())
          body.clone(inner, values)->getResult(0).setType(wide);
        linalg::YieldOp::create(
            body, place,
            values.lookup(given->getTerminator()->getOperand(0)));
      });
  SmallVector<Value> terms{made.getResult(0)};
  if (!fill)
    terms.push_back(init);
  op->getResult(0).replaceAllUsesWith(rounded(builder, place, terms, narrow));
  op->erase();
  if (!fill || !fill->use_empty())
    return;
  auto unused = fill.getOutputs().front().getDefiningOp<tensor::EmptyOp>();
  fill->erase();
  if (unused && unused->use_empty())
    unused->erase();
}

} // namespace

void widenSums(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return;
  SmallVector<linalg::LinalgOp> found;
  for (Operation &op : function.getBody().front())
    if (auto sum = dyn_cast<linalg::LinalgOp>(op))
      if (isNarrowSum(sum))
        found.push_back(sum);
  llvm::for_each(found, widen);
}

} // namespace harl
