//===- Prefetches.cpp - Asking for what streamed loops read ---------------===//
//
// As harl_mlir/codegen/prefetches.py does.
//
//===----------------------------------------------------------------------===//

#include "Prefetches.h"

#include "WholeLines.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace harl;

SmallVector<Value> harl::movedBy(OpBuilder &builder, Location place,
                                 ValueRange indices, ArrayRef<int64_t> offsets,
                                 ArrayRef<unsigned> dimensions) {
  SmallVector<Value> moved(indices);
  for (auto [offset, dimension] : llvm::zip_equal(offsets, dimensions)) {
    if (!offset)
      continue;
    Value &index = moved[dimension];
    Value more = arith::ConstantIndexOp::create(builder, place, offset);
    index = arith::AddIOp::create(builder, place, index, more);
  }
  return moved;
}

SmallVector<unsigned> harl::dimensionsOf(AffineMap map) {
  SmallVector<unsigned> found;
  for (AffineExpr each : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(each);
    if (!dim)
      return {};
    found.push_back(dim.getPosition());
  }
  return found;
}

SmallVector<SmallVector<int64_t>> harl::rowsOf(VectorType type) {
  ArrayRef<int64_t> outer = type.getShape().drop_back();
  SmallVector<int64_t> strides = computeStrides(outer);
  SmallVector<SmallVector<int64_t>> rows;
  for (int64_t i = 0; i < computeProduct(outer); ++i) {
    rows.push_back(delinearize(i, strides));
    rows.back().push_back(0);
  }
  return rows;
}

namespace {

constexpr uint32_t kToFirstCache = 3;
constexpr uint32_t kToSecondCache = 2;
constexpr int64_t kFewSteps = 4;
constexpr int64_t kFewComputed = 8;
constexpr int64_t kSmallBytes = 8192;

/// How far before, in bytes, and into which cache lines are asked for (the
/// localities of memref.prefetch).
struct Ahead {
  int64_t bytes;
  uint32_t cache;
};

constexpr Ahead kOfOneRow = {3072, kToFirstCache};
constexpr Ahead kAtThePlace = {1024, kToSecondCache};
constexpr Ahead kOnRows = {640, kToSecondCache};

/// Whether as many elements are read as written, at the same indices of as
/// large a buffer.
bool isAtTheSamePlace(vector::TransferReadOp read,
                      vector::TransferWriteOp write) {
  auto source = dyn_cast<MemRefType>(read.getBase().getType());
  auto target = cast<MemRefType>(write.getBase().getType());
  return source && bytesOf(source) && source.getShape() == target.getShape() &&
         read.getVectorType().getShape() == write.getVectorType().getShape() &&
         read.getPermutationMap() == write.getPermutationMap() &&
         llvm::equal(read.getIndices(), write.getIndices());
}

bool computesLittle(Block &block) {
  int64_t computed = llvm::count_if(block, [](Operation &op) {
    return op.getNumResults() == 1 &&
           isa<VectorType>(op.getResult(0).getType()) &&
           !isa<arith::ConstantOp, vector::TransferReadOp>(op);
  });
  return computed <= kFewComputed && llvm::none_of(block, [](Operation &op) {
           return isa<func::CallOp, LLVM::CallOp>(op);
         });
}

/// Whether a buffer is known to be of two pages or less.
bool isSmall(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type || !type.hasStaticShape())
    return false;
  int64_t size = bytesOf(type) * type.getNumElements();
  return 0 < size && size <= kSmallBytes;
}

/// Whether a loop computes little of one row of one large buffer at a time; its
/// reads are told.
bool movesOneRow(ArrayRef<vector::TransferReadOp> followed,
                 ArrayRef<vector::TransferReadOp> others) {
  llvm::SmallDenseSet<Value> buffers;
  for (vector::TransferReadOp read : followed)
    buffers.insert(read.getBase());
  return buffers.size() == 1 &&
         llvm::all_of(followed,
                      [](vector::TransferReadOp read) {
                        return computeProduct(
                                   read.getVectorType().getShape().drop_back()) ==
                                   1 &&
                               computesLittle(*read->getBlock());
                      }) &&
         llvm::all_of(others, [&](vector::TransferReadOp read) {
           return buffers.contains(read.getBase()) || isSmall(read.getBase());
         });
}

/// Whether an index is a loop's counter or a sum with it.
bool follows(Value index, Value counter) {
  if (index == counter)
    return true;
  Operation *made = index.getDefiningOp();
  return made && isa<arith::AddIOp, affine::AffineApplyOp>(made) &&
         llvm::any_of(made->getOperands(), [&](Value operand) {
           return follows(operand, counter);
         });
}

bool hasFewSteps(scf::ForOp loop) {
  auto first = getConstantIntValue(loop.getLowerBound());
  auto last = getConstantIntValue(loop.getUpperBound());
  auto step = getConstantIntValue(loop.getStep());
  return first && last && step && *last - *first <= kFewSteps * *step;
}

/// Whether several rows of a buffer are read, on which a loop goes on: the
/// nearest but for one of few steps.
bool goesAlongRows(vector::TransferReadOp read) {
  auto source = dyn_cast<MemRefType>(read.getBase().getType());
  if (!source || read.getVectorType().getRank() < 2 || !bytesOf(source))
    return false;
  SmallVector<unsigned> dimensions = dimensionsOf(read.getPermutationMap());
  SmallVector<int64_t> strides = stridesOf(source);
  if (strides.empty() || strides.back() != 1 || dimensions.empty() ||
      dimensions.back() != source.getRank() - 1)
    return false;
  auto around = dyn_cast<scf::ForOp>(read->getParentOp());
  if (!around)
    return false;
  Value last = read.getIndices().back();
  if (follows(last, around.getInductionVar()))
    return true;
  auto next = dyn_cast<scf::ForOp>(around->getParentOp());
  return hasFewSteps(around) && next && follows(last, next.getInductionVar());
}

/// Ask for the lines that lie so far behind those that are read, perhaps behind
/// the buffer's end.
void prefetch(vector::TransferReadOp read, Ahead ahead) {
  OpBuilder builder(read);
  Location place = read.getLoc();
  VectorType type = read.getVectorType();
  int64_t bytes = bytesOf(cast<MemRefType>(read.getBase().getType()));
  for (SmallVector<int64_t> &at : rowsOf(type))
    for (int64_t first = 0; first < type.getShape().back() * bytes;
         first += kLine) {
      at.back() = (ahead.bytes + first) / bytes;
      memref::PrefetchOp::create(
          builder, place, read.getBase(),
          movedBy(builder, place, read.getIndices(), at,
                  dimensionsOf(read.getPermutationMap())),
          /*isWrite=*/false, ahead.cache, /*isDataCache=*/true);
    }
}

} // namespace

void harl::prefetchReads(scf::ForOp loop,
                         ArrayRef<vector::TransferWriteOp> streamed) {
  SmallVector<vector::TransferReadOp> followed, others;
  loop.walk([&](vector::TransferReadOp read) {
    bool follows = llvm::any_of(streamed, [&](vector::TransferWriteOp write) {
      return isAtTheSamePlace(read, write);
    });
    (follows ? followed : others).push_back(read);
  });
  Ahead ahead = movesOneRow(followed, others) ? kOfOneRow : kAtThePlace;
  for (vector::TransferReadOp read : followed)
    prefetch(read, ahead);
  for (vector::TransferReadOp read : others)
    if (goesAlongRows(read))
      prefetch(read, kOnRows);
}

void harl::prefetchUnwritten(scf::ForOp loop) {
  SmallVector<vector::TransferReadOp> reads;
  SmallVector<vector::TransferWriteOp> writes;
  loop.walk([&](vector::TransferReadOp read) {
    auto source = dyn_cast<MemRefType>(read.getBase().getType());
    if (source && bytesOf(source) &&
        !dimensionsOf(read.getPermutationMap()).empty())
      reads.push_back(read);
  });
  loop.walk([&](vector::TransferWriteOp write) {
    if (isa<MemRefType>(write.getBase().getType()))
      writes.push_back(write);
  });
  for (vector::TransferReadOp read : reads)
    if (llvm::none_of(writes, [&](vector::TransferWriteOp write) {
          return isAtTheSamePlace(read, write);
        }))
      prefetch(read, kAtThePlace);
}
