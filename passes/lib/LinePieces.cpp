//===- LinePieces.cpp - Vectors of several cache lines --------------------===//
//
// As harl_mlir/codegen/line_pieces.py does.
//
//===----------------------------------------------------------------------===//

#include "LinePieces.h"

#include "BufferViews.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace harl {
bool hasSameLanes(Value value) {
  if (auto made = value.getDefiningOp<vector::BroadcastOp>())
    return !isa<VectorType>(made.getSourceType());
  DenseElementsAttr number;
  return matchPattern(value, m_Constant(&number)) && number.isSplat();
}

namespace {

constexpr int64_t kLine = 64;

/// Of an element of a vector of one dimension; 0 for anything else.
int64_t bitsOf(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || vector.getRank() != 1 || vector.isScalable())
    return 0;
  Type element = vector.getElementType();
  return element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
}

SmallVector<Value> valuesOf(Operation &op) {
  SmallVector<Value> values(op.getOperands());
  llvm::append_range(values, op.getResults());
  return values;
}

/// Whether a transfer is of neighbours in the last dimension of a buffer, in
/// bounds, without a mask.
bool isPlain(VectorTransferOpInterface transfer) {
  return isa<MemRefType>(transfer.getBase().getType()) &&
         !transfer.getMask() &&
         transfer.getPermutationMap().isMinorIdentity() &&
         transfer.getVectorType().getRank() == 1 &&
         !transfer.hasOutOfBoundsDim();
}

/// Whether a buffer is read in vectors at more than one place.
bool readsAgain(scf::ForOp loop) {
  llvm::DenseMap<Value, unsigned> reads;
  bool again = false;
  loop.walk([&](vector::TransferReadOp read) {
    again |= reads[rootOf(read.getBase())]++ > 0;
  });
  return again;
}

/// The pieces, of so many lanes, of vectors in a loop, by vector.
class Cut {
public:
  Cut(scf::ForOp loop, int64_t lanes) : loop(loop), lanes(lanes) {}

  /// Whether it is a vector of more than one piece, in one dimension.
  bool isWide(Value value) const {
    return bitsOf(value.getType()) && lanesOf(value) > lanes;
  }

  /// Whether an op with vectors of more than one piece can be made of pieces.
  bool may(Operation &op) const {
    int64_t width = 0;
    for (Value value : valuesOf(op)) {
      if (!isWide(value))
        continue;
      if (lanesOf(value) % lanes || (width && lanesOf(value) != width))
        return false;
      width = lanesOf(value);
    }
    if (!llvm::all_of(op.getOperands(), [&](Value operand) {
          return !isWide(operand) || isKnown(operand);
        }))
      return false;
    if (auto transfer = dyn_cast<VectorTransferOpInterface>(op))
      return isPlain(transfer);
    if (isa<arith::ConstantOp, vector::BroadcastOp>(op))
      return hasSameLanes(op.getResult(0));
    StringRef dialect = op.getName().getDialectNamespace();
    return (dialect == "arith" || dialect == "math") &&
           op.getNumResults() == 1 && llvm::all_of(valuesOf(op), [&](Value v) {
             return isWide(v) || !isa<VectorType>(v.getType());
           });
  }

  /// Put the pieces of an op in front of it; those of its operands are there.
  void make(Operation &op) {
    int64_t count = 0;
    for (Value value : valuesOf(op))
      if (isWide(value))
        count = lanesOf(value) / lanes;
    if (isa<arith::ConstantOp, vector::BroadcastOp>(op)) {
      piecesOf(op.getResult(0), count);
      return;
    }
    OpBuilder builder(&op);
    SmallVector<Value> results;
    for (int64_t number = 0; number < count; ++number) {
      Operation *piece = makePiece(builder, op, number, count);
      llvm::append_range(results, piece->getResults());
    }
    if (op.getNumResults())
      made[op.getResult(0)] = std::move(results);
  }

private:
  static int64_t lanesOf(Value value) {
    return cast<VectorType>(value.getType()).getShape()[0];
  }

  VectorType pieceType(Type type) const {
    return VectorType::get({lanes}, cast<VectorType>(type).getElementType());
  }

  /// Whether the pieces of an operand are made in the loop, or can be made
  /// wherever it is used.
  bool isKnown(Value value) const {
    Operation *op = value.getDefiningOp();
    return op && (loop->isAncestor(op) || hasSameLanes(value));
  }

  Operation *makePiece(OpBuilder &builder, Operation &op, int64_t number,
                       int64_t count) {
    SmallVector<Value> operands;
    for (Value operand : op.getOperands())
      operands.push_back(isWide(operand)
                             ? piecesOf(operand, count)[number]
                             : operand);
    if (auto transfer = dyn_cast<VectorTransferOpInterface>(op);
        transfer && number) {
      unsigned first = isa<vector::TransferReadOp>(op) ? 0 : 1;
      Value &last = operands[first + transfer.getIndices().size()];
      Value moved = arith::ConstantIndexOp::create(builder, op.getLoc(),
                                                   number * lanes);
      last = arith::AddIOp::create(builder, op.getLoc(), last, moved);
    }
    OperationState state(op.getLoc(), op.getName());
    state.addOperands(operands);
    for (Type type : op.getResultTypes())
      state.addTypes(pieceType(type));
    state.addAttributes(op.getAttrs());
    return builder.create(state);
  }

  /// Of a vector that is the same in all lanes the same piece again and again.
  SmallVector<Value> piecesOf(Value value, int64_t count) {
    auto found = made.find(value);
    if (found != made.end())
      return found->second;
    Operation *op = value.getDefiningOp();
    OpBuilder builder(op);
    VectorType type = pieceType(value.getType());
    Value piece;
    if (auto spread = dyn_cast<vector::BroadcastOp>(op)) {
      piece = vector::BroadcastOp::create(builder, op->getLoc(), type,
                                          spread.getSource());
    } else {
      DenseElementsAttr number;
      (void)matchPattern(value, m_Constant(&number));
      piece = arith::ConstantOp::create(
          builder, op->getLoc(),
          DenseElementsAttr::get(type, number.getSplatValue<Attribute>()));
    }
    return made[value] = SmallVector<Value>(count, piece);
  }

  scf::ForOp loop;
  int64_t lanes;
  llvm::DenseMap<Value, SmallVector<Value>> made;
};

} // namespace

void cutIntoLines(scf::ForOp loop) {
  if (!readsAgain(loop))
    return;
  int64_t least = kLine * 8;
  loop.walk([&](Operation *op) {
    for (Value value : valuesOf(*op))
      if (int64_t bits = bitsOf(value.getType()); bits >= 8)
        least = std::min(least, bits);
  });
  Cut cut(loop, kLine * 8 / least);
  SmallVector<Operation *> wide;
  loop.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (llvm::any_of(valuesOf(*op), [&](Value v) { return cut.isWide(v); }))
      wide.push_back(op);
  });
  if (!llvm::all_of(wide, [&](Operation *op) { return cut.may(*op); }))
    return;
  for (Operation *op : wide)
    cut.make(*op);
  for (Operation *op : llvm::reverse(wide))
    op->erase();
}

} // namespace harl
