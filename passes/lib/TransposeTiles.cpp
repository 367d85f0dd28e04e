//===- TransposeTiles.cpp - Tiles transposed by shuffles ------------------===//
//
// As harl_mlir/codegen/transposed_tiles.py does, where it is told how.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_TRANSPOSETILESPASS
#include "harl/Passes.h.inc"

namespace {

constexpr StringLiteral kTransposedAttr = "harl.transposed";

bool isMarked(Operation *op) {
  for (auto loop = op->getParentOfType<scf::ForOp>(); loop;
       loop = loop->getParentOfType<scf::ForOp>())
    if (loop->hasAttr(kTransposedAttr))
      return true;
  return false;
}

bool mayBeShuffled(vector::TransposeOp op) {
  VectorType type = op.getSourceVectorType();
  return type.getRank() == 2 && !type.isScalable() &&
         op.getPermutation() == ArrayRef<int64_t>{1, 0} &&
         llvm::all_of(type.getShape(), [](int64_t size) {
           return size > 1 && llvm::isPowerOf2_64(size);
         });
}

int64_t lanesOf(Value vector) {
  return cast<VectorType>(vector.getType()).getNumElements();
}

Value shuffled(OpBuilder &builder, Location place, Value first, Value second,
               int64_t begin, int64_t step) {
  SmallVector<int64_t> lanes;
  for (int64_t lane = begin; lane < 2 * lanesOf(first); lane += step)
    lanes.push_back(lane);
  return vector::ShuffleOp::create(builder, place, first, second, lanes);
}

/// The columns of a tile that has no more of them than rows.
SmallVector<Value> transposed(OpBuilder &builder, Location place,
                              SmallVector<Value> held) {
  size_t columns = lanesOf(held.front());
  while (held.size() > columns) {
    SmallVector<Value> joined;
    for (size_t n = 0; n < held.size(); n += 2)
      joined.push_back(shuffled(builder, place, held[n], held[n + 1], 0, 1));
    held = std::move(joined);
  }
  for (size_t step = 1; step < columns; step *= 2)
    for (size_t number = 0; number < columns; ++number) {
      if (number & step)
        continue;
      Value first = held[number], second = held[number + step];
      held[number] = shuffled(builder, place, first, second, 0, 2);
      held[number + step] = shuffled(builder, place, first, second, 1, 2);
    }
  return held;
}

void transpose(vector::TransposeOp op) {
  OpBuilder builder(op);
  Location place = op.getLoc();
  VectorType type = op.getResultVectorType();
  int64_t columns = type.getDimSize(0), count = type.getDimSize(1);
  SmallVector<Value> rows;
  for (int64_t number : llvm::seq(count))
    rows.push_back(
        vector::ExtractOp::create(builder, place, op.getVector(), number));
  int64_t side = std::min(columns, count);
  SmallVector<Value> made;
  for (int64_t first = 0; first < columns; first += side) {
    SmallVector<Value> tile(rows);
    if (side < columns)
      for (Value &row : tile)
        row = vector::ExtractStridedSliceOp::create(
            builder, place, row, ArrayRef<int64_t>{first},
            ArrayRef<int64_t>{side}, ArrayRef<int64_t>{1});
    llvm::append_range(made, transposed(builder, place, std::move(tile)));
  }
  Value result = ub::PoisonOp::create(builder, place, type);
  for (auto [number, row] : llvm::enumerate(made))
    result = vector::InsertOp::create(builder, place, row, result,
                                      static_cast<int64_t>(number));
  op.replaceAllUsesWith(result);
  op.erase();
}

struct TransposeTiles : public impl::TransposeTilesPassBase<TransposeTiles> {
  void runOnOperation() override {
    SmallVector<vector::TransposeOp> found;
    getOperation().walk([&](vector::TransposeOp op) {
      if (isMarked(op) && mayBeShuffled(op))
        found.push_back(op);
    });
    for (vector::TransposeOp op : found)
      transpose(op);
    getOperation().walk(
        [](scf::ForOp loop) { loop->removeAttr(kTransposedAttr); });
  }
};

} // namespace
} // namespace harl
