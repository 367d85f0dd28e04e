//===- WideBuffers.cpp - Copies of narrow numbers hold them widened -------===//
//
// As harl_mlir/codegen/wide_buffers.py does.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "BufferViews.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_WIDEBUFFERSPASS
#include "harl/Passes.h.inc"

namespace {

/// Elements that are copied as a vector.
constexpr int64_t kRow = 1024;

/// What a buffer is used by: views of it, ops that write it, and what its
/// numbers pass through.
struct Uses {
  SmallVector<Operation *> views, writes, moves, widened;

  /// Whether a buffer is only copied to, and read to be widened to f32; notes
  /// what does.
  bool found(Value buffer) {
    return llvm::all_of(buffer.getUses(), [&](OpOperand &use) {
      return ofBuffer(use.getOwner(), use.getOperandNumber());
    });
  }

private:
  bool ofBuffer(Operation *user, unsigned operand) {
    if (user->getNumResults() == 1 && viewed(user->getResult(0))) {
      views.push_back(user);
      return found(user->getResult(0));
    }
    if (isa<memref::DeallocOp>(user))
      return true;
    if (isa<memref::LoadOp, vector::LoadOp>(user))
      return isWidened(user);
    bool masked = isa<vector::MaskOp>(user->getParentOp());
    if (auto read = dyn_cast<vector::TransferReadOp>(user))
      return !masked && !read.getMask() && isWidened(user);
    writes.push_back(user);
    if (auto write = dyn_cast<vector::TransferWriteOp>(user))
      return !masked && !write.getMask() && operand == 1;
    return isa<memref::CopyOp>(user) && operand == 1;
  }

  bool isWidened(Operation *made) {
    moves.push_back(made);
    return llvm::all_of(made->getResult(0).getUsers(),
                        [&](Operation *user) { return ofNumber(user); });
  }

  bool ofNumber(Operation *user) {
    if (isa<arith::ExtFOp>(user)) {
      widened.push_back(user);
      return getElementTypeOrSelf(user->getResult(0).getType()).isF32();
    }
    return isa<vector::BroadcastOp, vector::ExtractOp, vector::ShapeCastOp,
               vector::TransposeOp>(user) &&
           isWidened(user);
  }
};

/// Widens what is in one buffer into another: a row as a vector, more in loops.
void copy(OpBuilder &builder, Location place, Value source, Value target) {
  auto given = cast<MemRefType>(source.getType());
  Type wide = builder.getF32Type();
  int64_t rank = given.getRank();
  if (given.hasStaticShape() && rank &&
      given.getNumElements() == given.getShape().back() &&
      given.getNumElements() <= kRow) {
    SmallVector<Value> first(
        rank, arith::ConstantIndexOp::create(builder, place, 0));
    int64_t count = given.getShape().back();
    Value padding = arith::ConstantOp::create(
        builder, place, builder.getZeroAttr(given.getElementType()));
    Value read = vector::TransferReadOp::create(
        builder, place, VectorType::get({count}, given.getElementType()),
        source, first, padding, ArrayRef<bool>{true});
    Value row = arith::ExtFOp::create(builder, place,
                                      VectorType::get({count}, wide), read);
    vector::TransferWriteOp::create(builder, place, row, target, first,
                                    ArrayRef<bool>{true});
    return;
  }
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  linalg::GenericOp::create(
      builder, place, source, target, ArrayRef{identity, identity}, loops,
      [&](OpBuilder &body, Location place, ValueRange numbers) {
        Value number = arith::ExtFOp::create(body, place, wide, numbers[0]);
        linalg::YieldOp::create(body, place, number);
      });
}

/// The same type of other numbers.
Type widened(Type type) {
  Type wide = Float32Type::get(type.getContext());
  if (auto buffer = dyn_cast<MemRefType>(type))
    return MemRefType::Builder(buffer).setElementType(wide).operator MemRefType();
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.cloneWith(std::nullopt, wide);
  return wide;
}

void widen(Value buffer, Uses &uses) {
  OpBuilder builder(buffer.getContext());
  buffer.setType(cast<MemRefType>(widened(buffer.getType())));
  auto retype = [](Operation *op) {
    op->getResult(0).setType(widened(op->getResult(0).getType()));
  };
  llvm::for_each(uses.views, retype);
  llvm::for_each(uses.moves, retype);
  for (Operation *move : uses.moves) {
    auto read = dyn_cast<vector::TransferReadOp>(move);
    if (!read)
      continue;
    builder.setInsertionPoint(read);
    Value padding = arith::ExtFOp::create(
        builder, read.getLoc(), builder.getF32Type(), read.getPadding());
    read.getPaddingMutable().assign(padding);
  }
  for (Operation *extension : uses.widened) {
    extension->getResult(0).replaceAllUsesWith(extension->getOperand(0));
    extension->erase();
  }
  for (Operation *write : uses.writes) {
    builder.setInsertionPoint(write);
    Location place = write->getLoc();
    if (auto made = dyn_cast<memref::CopyOp>(write)) {
      copy(builder, place, made.getSource(), made.getTarget());
      write->erase();
    } else {
      Value given = write->getOperand(0);
      write->setOperand(0, arith::ExtFOp::create(
                               builder, place, widened(given.getType()), given));
    }
  }
}

struct WideBuffers : public impl::WideBuffersPassBase<WideBuffers> {
  void runOnOperation() override {
    SmallVector<memref::AllocOp> found;
    getOperation().walk([&](memref::AllocOp op) {
      Type element = op.getType().getElementType();
      if (element.isF16() || element.isBF16())
        found.push_back(op);
    });
    for (memref::AllocOp op : found) {
      Uses uses;
      if (uses.found(op.getResult()) && !uses.widened.empty())
        widen(op.getResult(), uses);
    }
  }
};

} // namespace

} // namespace harl
