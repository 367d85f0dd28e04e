//===- GroupCopies.cpp - Copies that bring groups of numbers together -----===//
//
// As harl_mlir/codegen/group_copies.py does.
//
//===----------------------------------------------------------------------===//

#include "DotVectors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;

namespace harl {

namespace {

constexpr int64_t kSquare = 16;

/// The rows of a vector `[group, n]`, with an element of each in turn.
Value interleaved(OpBuilder &builder, Location place, Value source,
                  VectorType made) {
  int64_t group = made.getShape().back();
  int64_t count = made.getNumElements() / group;
  auto element = made.getElementType();
  auto rowsType = VectorType::get({group, count}, element);
  Value table = vector::ShapeCastOp::create(builder, place, rowsType, source);
  auto narrow = VectorType::get({count}, builder.getIntegerType(32 / group));
  SmallVector<Value> rows;
  for (int64_t number = 0; number < group; ++number) {
    Value row = vector::ExtractOp::create(builder, place, table, number);
    rows.push_back(vector::BitCastOp::create(builder, place, narrow, row));
  }
  while (rows.size() > 1) {
    size_t half = rows.size() / 2;
    for (size_t number = 0; number < half; ++number)
      rows[number] = vector::InterleaveOp::create(
          builder, place, rows[number], rows[number + half]);
    rows.resize(half);
  }
  auto flat = VectorType::get({count * group}, element);
  return vector::BitCastOp::create(builder, place, flat, rows.front());
}

/// The rows of a transposed square of groups, each of groups that follow each
/// other.
SmallVector<Value> transposed(OpBuilder &builder, Location place, Value source,
                              VectorType made) {
  int64_t group = made.getShape().back();
  auto narrow = VectorType::get({kSquare * group}, made.getElementType());
  auto whole = VectorType::get({kSquare}, builder.getI32Type());
  auto tableType =
      VectorType::get({kSquare, kSquare * group}, made.getElementType());
  Value table = vector::ShapeCastOp::create(builder, place, tableType, source);
  SmallVector<Value> rows;
  for (int64_t number = 0; number < kSquare; ++number) {
    Value row = vector::ExtractOp::create(builder, place, table, number);
    rows.push_back(vector::BitCastOp::create(builder, place, whole, row));
  }
  for (int64_t step = 1; step < kSquare; step *= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < kSquare; ++lane) {
      low.push_back(lane & step ? kSquare + lane - step : lane);
      high.push_back(lane & step ? kSquare + lane : lane + step);
    }
    for (int64_t number = 0; number < kSquare; ++number) {
      if (number & step)
        continue;
      Value first = rows[number], second = rows[number + step];
      rows[number] =
          vector::ShuffleOp::create(builder, place, first, second, low);
      rows[number + step] =
          vector::ShuffleOp::create(builder, place, first, second, high);
    }
  }
  for (Value &row : rows)
    row = vector::BitCastOp::create(builder, place, narrow, row);
  return rows;
}

/// Rows put together to what a transposition gives.
Value assembled(OpBuilder &builder, Location place, ArrayRef<Value> rows,
                VectorType type) {
  Value made = rows.front();
  if (rows.size() > 1) {
    auto row = cast<VectorType>(made.getType());
    auto table = VectorType::get(
        {static_cast<int64_t>(rows.size()), row.getDimSize(0)},
        row.getElementType());
    made = ub::PoisonOp::create(builder, place, table);
    for (auto [number, each] : llvm::enumerate(rows))
      made = vector::InsertOp::create(builder, place, each, made,
                                      static_cast<int64_t>(number));
  }
  return vector::ShapeCastOp::create(builder, place, type, made);
}

/// Writes `rows` where the op's result is written; elsewhere they take its
/// place.
void replace(vector::TransposeOp op, ArrayRef<Value> rows) {
  Value result = op.getResult();
  // Between lanes and group there may be dimensions of size one.
  ArrayRef<int64_t> shape = op.getResultVectorType().getShape();
  bool inRows = shape[shape.size() - 2] * shape.back() ==
                cast<VectorType>(rows.front().getType()).getNumElements();
  for (OpOperand &use : llvm::make_early_inc_range(result.getUses())) {
    auto write = dyn_cast<vector::TransferWriteOp>(use.getOwner());
    if (!inRows || !write || write.getValueToStore() != result)
      continue;
    OpBuilder builder(write);
    std::optional<Row> row = rowOf(builder, write);
    if (!row)
      continue;
    for (auto [number, each] : llvm::enumerate(rows)) {
      SmallVector<Value> at = row->indices;
      if (number) {
        Value offset =
            arith::ConstantIndexOp::create(builder, op.getLoc(), number);
        Value &outer = at[at.size() - 2];
        outer = arith::AddIOp::create(builder, op.getLoc(), outer, offset);
      }
      vector::StoreOp::create(builder, op.getLoc(), each, row->buffer, at);
    }
    write.erase();
  }
  if (!result.use_empty()) {
    OpBuilder builder(op);
    result.replaceAllUsesWith(
        assembled(builder, op.getLoc(), rows, op.getResultVectorType()));
  }
  op.erase();
}

} // namespace

void copyGroups(Operation *root) {
  SmallVector<vector::TransposeOp> found;
  root->walk([&](vector::TransposeOp op) { found.push_back(op); });
  for (vector::TransposeOp op : found) {
    VectorType made = op.getResultVectorType();
    if (groupOf(made.getElementType()) != made.getShape().back())
      continue;
    // The order of what has more than one element.
    SmallVector<int64_t> order;
    for (int64_t dim : op.getPermutation())
      if (op.getSourceVectorType().getDimSize(dim) > 1)
        order.push_back(dim);
    SmallVector<int64_t> sorted(order);
    llvm::sort(sorted);
    for (int64_t &dim : order)
      dim = llvm::find(sorted, dim) - sorted.begin();
    OpBuilder builder(op);
    Location place = op.getLoc();
    if (order == SmallVector<int64_t>{1, 0}) {
      replace(op, interleaved(builder, place, op.getVector(), made));
    } else if (order == SmallVector<int64_t>{1, 0, 2} &&
               made.getDimSize(made.getRank() - 2) == kSquare &&
               made.getDimSize(made.getRank() - 3) == kSquare) {
      replace(op, transposed(builder, place, op.getVector(), made));
    }
  }
}

} // namespace harl
