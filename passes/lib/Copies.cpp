//===- Copies.cpp - Padding, concatenation and slices as copies -----------===//
//
// A port of harl_mlir/frontend/copies.py.
//
//===----------------------------------------------------------------------===//

#include "Normalise.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

static bool isStatic(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return !tensor || tensor.hasStaticShape();
}

/// Whether it is an argument, a constant, or a view of one.
static bool isGiven(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<arith::ConstantOp>(op))
      return true;
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp,
             tensor::ExtractSliceOp>(op))
      return false;
    value = op->getOperand(0);
  }
  return true;
}

static Value emptyOf(OpBuilder &builder, Location place,
                     RankedTensorType type) {
  return tensor::EmptyOp::create(builder, place, type.getShape(),
                                 type.getElementType());
}

/// A copy in a tensor of its own; the lowering puts it where it is inserted.
static Value copyOf(OpBuilder &builder, Location place, Value source) {
  auto type = cast<RankedTensorType>(source.getType());
  Value empty = emptyOf(builder, place, type);
  return linalg::CopyOp::create(builder, place, source, empty).getResult(0);
}

/// A part of a tensor without gaps.
struct Part {
  SmallVector<int64_t> at, shape;

  SmallVector<OpFoldResult> offsets(MLIRContext *context) const {
    return getAsIndexOpFoldResult(context, at);
  }
  SmallVector<OpFoldResult> sizes(MLIRContext *context) const {
    return getAsIndexOpFoldResult(context, shape);
  }
  SmallVector<OpFoldResult> strides(MLIRContext *context) const {
    return getAsIndexOpFoldResult(context,
                                  SmallVector<int64_t>(at.size(), 1));
  }
};

/// `whole` with `source` in the place of a part.
static Value inserted(OpBuilder &builder, Location place, Value source,
                      Value whole, const Part &part) {
  MLIRContext *context = builder.getContext();
  return tensor::InsertSliceOp::create(
      builder, place, source, whole, part.offsets(context),
      part.sizes(context), part.strides(context));
}

/// `whole` with `source` copied into it at an offset.
static Value copiedInto(OpBuilder &builder, Location place, Value source,
                        Value whole, ArrayRef<int64_t> at) {
  auto shape = cast<RankedTensorType>(source.getType()).getShape();
  Value copy = copyOf(builder, place, source);
  return inserted(builder, place, copy, whole,
                  {SmallVector<int64_t>(at), SmallVector<int64_t>(shape)});
}

/// What lies around something that is padded: blocks, none of which overlap.
static SmallVector<Part> borderOf(tensor::PadOp op) {
  ArrayRef<int64_t> inside = op.getSourceType().getShape();
  ArrayRef<int64_t> low = op.getStaticLow(), high = op.getStaticHigh();
  SmallVector<Part> border;
  Part rest{SmallVector<int64_t>(inside.size(), 0),
            SmallVector<int64_t>(op.getResultType().getShape())};
  for (unsigned d = 0; d < inside.size(); ++d) {
    for (auto [start, size] : {std::pair<int64_t, int64_t>(0, low[d]),
                               {low[d] + inside[d], high[d]}}) {
      if (size == 0)
        continue;
      border.push_back(rest);
      border.back().at[d] = start;
      border.back().shape[d] = size;
    }
    rest.at[d] = low[d];
    rest.shape[d] = inside[d];
  }
  return border;
}

static Value filledAround(OpBuilder &builder, tensor::PadOp op, Value value) {
  MLIRContext *context = builder.getContext();
  Location place = op.getLoc();
  Value whole = emptyOf(builder, place, op.getResultType());
  for (const Part &part : borderOf(op)) {
    Value slice = tensor::ExtractSliceOp::create(
        builder, place, whole, part.offsets(context), part.sizes(context),
        part.strides(context));
    auto fill = linalg::FillOp::create(builder, place, value, slice);
    fill->setAttr(kBorderAttr, builder.getUnitAttr());
    whole = inserted(builder, place, fill.getResult(0), whole, part);
  }
  return whole;
}

/// What a linalg op reads is left, but for the source where nothing is padded;
/// so is what more than one value is filled in.
static Value padded(OpBuilder &builder, tensor::PadOp op) {
  auto isNegative = [](int64_t count) { return count < 0; };
  bool isRead = llvm::any_of(op->getUsers(), [](Operation *user) {
    return isa<linalg::LinalgDialect>(user->getDialect());
  });
  if (isRead && op.getSourceType() == op.getResultType() && !op.getNofold())
    return op.getSource();
  if (op->getNumOperands() > 1 || llvm::any_of(op.getStaticLow(), isNegative) ||
      llvm::any_of(op.getStaticHigh(), isNegative) || isRead)
    return {};
  Value value = op.getBody()->getTerminator()->getOperand(0);
  Operation *owner = value.getDefiningOp();
  if (!owner)
    return {};
  if (owner->getParentOp() == op) {
    if (!isa<arith::ConstantOp>(owner))
      return {};
    value = builder.clone(*owner)->getResult(0);
  }
  Value whole = filledAround(builder, op, value);
  return copiedInto(builder, op.getLoc(), op.getSource(), whole,
                    op.getStaticLow());
}

static Value joined(OpBuilder &builder, tensor::ConcatOp op) {
  RankedTensorType type = op.getResultType();
  Value whole = emptyOf(builder, op.getLoc(), type);
  SmallVector<int64_t> at(type.getRank(), 0);
  for (Value source : op.getInputs()) {
    whole = copiedInto(builder, op.getLoc(), source, whole, at);
    at[op.getDim()] +=
        cast<RankedTensorType>(source.getType()).getDimSize(op.getDim());
  }
  return whole;
}

static Value insertedAsItWas(OpBuilder &builder, tensor::InsertSliceOp op) {
  auto isOne = [](int64_t stride) { return stride == 1; };
  if (!isGiven(op.getSource()) || op->getNumOperands() > 2 ||
      op.getStaticSizes() != op.getSourceType().getShape() ||
      !llvm::all_of(op.getStaticStrides(), isOne))
    return {};
  return copiedInto(builder, op.getLoc(), op.getSource(), op.getDest(),
                    op.getStaticOffsets());
}

/// Whether a linalg op that moves elements, on tensors, leaves each where it
/// is, and what it is.
static bool changesNothing(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumOperands() != 2 ||
      op->getOperand(0).getType() != op->getResult(0).getType())
    return false;
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return llvm::is_sorted(transpose.getPermutation());
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    auto isIdentity = [](AffineMap map) { return map.isIdentity(); };
    return llvm::all_of(generic.getIndexingMapsArray(), isIdentity) &&
           generic.getBody()->getTerminator()->getOperand(0) ==
               generic.getBody()->getArgument(0);
  }
  return isa<linalg::CopyOp, linalg::BroadcastOp>(op);
}

/// What stands for an op that changes nothing: what it is of, unless that is
/// given or a copy is wanted: where it is inserted, and where it is returned, as
/// the task of a copy that is inserted looks by itself.
static Value copyAtMost(OpBuilder &builder, Operation *op) {
  Value source = op->getOperand(0);
  bool isWanted = llvm::any_of(op->getUsers(), [](Operation *user) {
    return isa<tensor::InsertSliceOp, func::ReturnOp>(user);
  });
  if (!isWanted && !isGiven(source))
    return source;
  if (isa<linalg::CopyOp, linalg::GenericOp>(op))
    return {};
  return linalg::CopyOp::create(builder, op->getLoc(), source,
                                op->getOperand(1))
      .getResult(0);
}

static Value rewritten(OpBuilder &builder, Operation *op) {
  if (auto pad = dyn_cast<tensor::PadOp>(op))
    return padded(builder, pad);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return joined(builder, concat);
  if (auto insertion = dyn_cast<tensor::InsertSliceOp>(op))
    return insertedAsItWas(builder, insertion);
  return changesNothing(op) ? copyAtMost(builder, op) : Value();
}

void writeCopies(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return;
  Block &block = function.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (!llvm::all_of(op.getOperandTypes(), isStatic) ||
        !llvm::all_of(op.getResultTypes(), isStatic))
      continue;
    OpBuilder builder(&op);
    if (Value made = rewritten(builder, &op)) {
      op.getResult(0).replaceAllUsesWith(made);
      op.erase();
    }
  }
  Operation *end = block.getTerminator();
  OpBuilder builder(end);
  for (OpOperand &operand : end->getOpOperands())
    if (operand.get().getDefiningOp<tensor::ExtractSliceOp>() &&
        isGiven(operand.get()) && isStatic(operand.get().getType()))
      operand.set(copyOf(builder, end->getLoc(), operand.get()));
}

} // namespace harl
