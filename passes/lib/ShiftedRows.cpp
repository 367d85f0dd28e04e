//===- ShiftedRows.cpp - Rows that begin anywhere in a line ---------------===//
//
// As harl_mlir/codegen/shifted_rows.py does.
//
//===----------------------------------------------------------------------===//

#include "ShiftedRows.h"

#include "BufferViews.h"
#include "LinePieces.h"
#include "WholeLines.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

#include <algorithm>

using namespace mlir;

namespace harl {

namespace {

constexpr int64_t kFewestBytes = 512;

using Moves = std::optional<int64_t>;

/// How far a number moves where these do so; none where that is not known.
Moves movesOf(AffineExpr expression, ArrayRef<Moves> given, unsigned dims) {
  if (isa<AffineConstantExpr>(expression))
    return 0;
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return given[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expression))
    return given[dims + symbol.getPosition()];
  auto both = cast<AffineBinaryOpExpr>(expression);
  Moves left = movesOf(both.getLHS(), given, dims);
  Moves right = movesOf(both.getRHS(), given, dims);
  if (left == 0 && right == 0)
    return 0;
  if (!left || !right)
    return {};
  if (both.getKind() == AffineExprKind::Add)
    return *left + *right;
  auto factor = dyn_cast<AffineConstantExpr>(both.getRHS());
  if (both.getKind() == AffineExprKind::Mul && factor)
    return *left * factor.getValue();
  return {};
}

/// Whether ops do the same for each element along a row, wherever a vector of
/// them begins.
class Along {
public:
  Along(scf::ForOp loop, int64_t step)
      : body(loop.getBody()), counter(loop.getInductionVar()), step(step) {}

  /// Whether an op of the loop's body may be done from another element on.
  bool may(Operation &op) const {
    SmallVector<Moves> moves;
    for (Value operand : op.getOperands())
      moves.push_back(movesOf(operand));
    if (auto read = dyn_cast<vector::TransferReadOp>(op))
      return !read.getMask() && mayTransfer(read, moves, 1);
    if (auto write = dyn_cast<vector::TransferWriteOp>(op))
      return !write.getMask() && mayTransfer(write, moves, 2);
    if (isa<affine::AffineApplyOp, arith::AddIOp>(op) &&
        op.getResult(0).getType().isIndex()) {
      Moves all = movesOf(op.getResult(0));
      return all == 0 || all == 1;
    }
    bool still = llvm::all_of(moves, [](Moves each) { return each == 0; });
    if (!still || op.getNumRegions())
      return false;
    if (isa<memref::LoadOp>(op))
      return true;
    for (Value operand : op.getOperands())
      if (isa<VectorType>(operand.getType()) && isOutside(operand) &&
          !hasSameLanes(operand))
        return false;
    if (isa<arith::ConstantOp, vector::BroadcastOp>(op))
      return !isa<VectorType>(op.getResult(0).getType()) ||
             hasSameLanes(op.getResult(0));
    StringRef dialect = op.getName().getDialectNamespace();
    return (dialect == "arith" || dialect == "math") && op.getNumResults() == 1;
  }

private:
  bool mayTransfer(VectorTransferOpInterface op, ArrayRef<Moves> moves,
                   size_t begin) const {
    auto buffer = dyn_cast<MemRefType>(op.getBase().getType());
    VectorType held = op.getVectorType();
    if (!buffer || held.getRank() != 1 || held.isScalable())
      return false;
    AffineMap map = op.getPermutationMap();
    if (llvm::all_of(moves, [](Moves each) { return each == 0; }))
      return begin == 1 && llvm::all_of(map.getResults(), [](AffineExpr each) {
               return isa<AffineConstantExpr>(each);
             });
    ArrayRef<Moves> along = moves.slice(begin, buffer.getRank());
    return along.back() == 1 && held.getDimSize(0) == step &&
           llvm::all_of(along.drop_back(),
                        [](Moves each) { return each == 0; }) &&
           map.isMinorIdentity() && !op.hasOutOfBoundsDim();
  }

  bool isOutside(Value value) const {
    Operation *made = value.getDefiningOp();
    return !made || made->getBlock() != body;
  }

  /// How far a number moves with each step of one along the row; vectors are
  /// what is computed, and none.
  Moves movesOf(Value value) const {
    if (value == counter)
      return 1;
    if (isOutside(value) || isa<VectorType>(value.getType()))
      return 0;
    Operation *made = value.getDefiningOp();
    SmallVector<Moves> moves;
    for (Value operand : made->getOperands())
      moves.push_back(movesOf(operand));
    if (isa<arith::AddIOp>(made))
      return moves[0] && moves[1] ? Moves(*moves[0] + *moves[1]) : Moves();
    if (auto apply = dyn_cast<affine::AffineApplyOp>(made)) {
      AffineMap map = apply.getAffineMap();
      return harl::movesOf(map.getResult(0), moves, map.getNumDims());
    }
    bool still = llvm::all_of(moves, [](Moves each) { return each == 0; });
    return still ? Moves(0) : Moves();
  }

  Block *body;
  Value counter;
  int64_t step;
};

/// Whether a row of so many elements is worth it, and written in vectors of
/// whole lines of one step.
bool isLong(vector::TransferWriteOp write, MemRefType kind, int64_t length,
            int64_t step) {
  VectorType lanes = write.getVectorType();
  int64_t size = bytesOf(kind);
  SmallVector<int64_t> strides = stridesOf(kind);
  // Of such elements every processor with vectors can store some of a vector.
  return (size == 4 || size == 8) && lanes.getShape() == ArrayRef(step) &&
         step * size % kLine == 0 &&
         length * size >= std::max(kFewestBytes, 2 * step * size) &&
         !strides.empty() && strides.back() == 1;
}

/// What a loop along a row writes; null for other loops.
vector::TransferWriteOp writeOf(scf::ForOp loop) {
  auto first = getConstantIntValue(loop.getLowerBound());
  auto past = getConstantIntValue(loop.getUpperBound());
  auto step = getConstantIntValue(loop.getStep());
  if (!first || !past || !step || loop.getNumResults())
    return {};
  auto writes = llvm::to_vector(loop.getOps<vector::TransferWriteOp>());
  if (writes.size() != 1 || (*past - *first) % *step)
    return {};
  vector::TransferWriteOp write = writes.front();
  auto kind = dyn_cast<MemRefType>(write.getBase().getType());
  if (!kind || !isLong(write, kind, *past - *first, *step) ||
      writtenByLines(write))
    return {};
  Value root = rootOf(write.getBase());
  Along along(loop, *step);
  for (Operation &op : loop.getBody()->without_terminator()) {
    bool reads = isa<vector::TransferReadOp, memref::LoadOp>(op);
    if ((reads && rootOf(op.getOperand(0)) == root) || !along.may(op))
      return {};
  }
  return write;
}

/// An index of the loop's body as it is in the first step; computed in front
/// of the loop.
Value atStart(OpBuilder &builder, Value value, scf::ForOp loop) {
  if (value == loop.getInductionVar())
    return loop.getLowerBound();
  Operation *made = value.getDefiningOp();
  if (!made || made->getBlock() != loop.getBody())
    return value;
  IRMapping map;
  for (Value operand : made->getOperands())
    map.map(operand, atStart(builder, operand, loop));
  return builder.clone(*made, map)->getResult(0);
}

/// Elements of a row that lie in front of its first whole line.
Value toLine(OpBuilder &builder, vector::TransferWriteOp write,
             scf::ForOp loop) {
  Location place = write.getLoc();
  auto kind = cast<MemRefType>(write.getBase().getType());
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, place, value);
  };
  auto facts = memref::ExtractStridedMetadataOp::create(builder, place,
                                                        write.getBase());
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(
      builder, place, builder.getIndexType(), facts.getBaseBuffer());
  Value at = arith::DivUIOp::create(builder, place, address,
                                    number(bytesOf(kind)));
  at = arith::AddIOp::create(builder, place, at, facts.getOffset());
  for (auto [index, stride] : llvm::zip(write.getIndices(), stridesOf(kind))) {
    Value moved = arith::MulIOp::create(
        builder, place, atStart(builder, index, loop), number(stride));
    at = arith::AddIOp::create(builder, place, at, moved);
  }
  Value left = arith::SubIOp::create(builder, place, number(0), at);
  return arith::AndIOp::create(builder, place, left,
                               number(kLine / bytesOf(kind) - 1));
}

/// One step of a loop from `start` on, or none where there are no `elements`,
/// what it writes stored under a mask.
void putPiece(OpBuilder &builder, scf::ForOp loop, Value start, Value mask,
              Value elements) {
  Location place = loop.getLoc();
  Value one = arith::ConstantIndexOp::create(builder, place, 1);
  Value any = arith::MinUIOp::create(builder, place, elements, one);
  auto piece = cast<scf::ForOp>(builder.clone(*loop));
  piece.setLowerBound(start);
  builder.setInsertionPoint(piece);
  piece.setUpperBound(arith::AddIOp::create(builder, place, start, any));
  auto write = *piece.getOps<vector::TransferWriteOp>().begin();
  OpBuilder inside(write);
  vector::MaskedStoreOp::create(inside, place, write.getBase(),
                                write.getIndices(), mask, write.getVector());
  write.erase();
  builder.setInsertionPoint(loop);
}

/// Put loops for a row's ends in front of that over its whole steps.
void shift(scf::ForOp loop, vector::TransferWriteOp write) {
  OpBuilder builder(loop);
  Location place = loop.getLoc();
  int64_t step = write.getVectorType().getDimSize(0);
  Value first = loop.getLowerBound(), past = loop.getUpperBound();
  Value width = arith::ConstantIndexOp::create(builder, place, step);
  Value one = arith::ConstantIndexOp::create(builder, place, 1);
  Value before = toLine(builder, write, loop);
  Value left = arith::SubIOp::create(builder, place, past, first);
  left = arith::SubIOp::create(builder, place, left, before);
  Value behind = arith::RemUIOp::create(builder, place, left, width);
  Value begin = arith::AddIOp::create(builder, place, first, before);
  Value last = arith::SubIOp::create(builder, place, past, width);
  auto lanes = VectorType::get({step}, builder.getI1Type());
  Value inFront =
      vector::CreateMaskOp::create(builder, place, lanes, ValueRange{before});
  Value whole = arith::SubIOp::create(builder, place, width, behind);
  Value other =
      vector::CreateMaskOp::create(builder, place, lanes, ValueRange{whole});
  Value every = arith::ConstantOp::create(
      builder, place, DenseElementsAttr::get(lanes, true));
  Value atEnd = arith::XOrIOp::create(builder, place, other, every);
  putPiece(builder, loop, first, inFront, before);
  putPiece(builder, loop, last, atEnd, behind);
  loop.setLowerBound(begin);
  loop.setUpperBound(arith::AddIOp::create(builder, place, last, one));
}

} // namespace

SmallVector<vector::TransferWriteOp> shiftRows(scf::ForOp loop) {
  SmallVector<std::pair<scf::ForOp, vector::TransferWriteOp>> found;
  loop.walk([&](scf::ForOp each) {
    if (vector::TransferWriteOp write = writeOf(each))
      found.emplace_back(each, write);
  });
  SmallVector<vector::TransferWriteOp> writes;
  for (auto [each, write] : found) {
    shift(each, write);
    writes.push_back(write);
  }
  return writes;
}

} // namespace harl
