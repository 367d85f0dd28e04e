//===- StreamStores.cpp - Stores past the caches --------------------------===//
//
// As harl_mlir/codegen/streaming.py does.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "LinePieces.h"
#include "ShiftedRows.h"
#include "WholeLines.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_STREAMSTORESPASS
#include "harl/Passes.h.inc"

namespace {

constexpr StringLiteral kStreamedAttr = "harl.streamed";
constexpr int64_t kAhead = 1024;
constexpr int64_t kAheadOnRows = 256;
constexpr uint32_t kToSecondCache = 2;
constexpr int64_t kFewSteps = 4;

bool hasX86() {
#if defined(__x86_64__)
  return true;
#else
  return false;
#endif
}

/// Indices with offsets added to those of these dimensions.
SmallVector<Value> movedBy(OpBuilder &builder, Location place,
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

/// The buffer's dimensions along which a vector lies, in the vector's order;
/// empty where one is repeated.
SmallVector<unsigned> dimensionsOf(AffineMap map) {
  SmallVector<unsigned> found;
  for (AffineExpr each : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(each);
    if (!dim)
      return {};
    found.push_back(dim.getPosition());
  }
  return found;
}

/// The places of a vector's rows, with a last index of 0.
SmallVector<SmallVector<int64_t>> rowsOf(VectorType type) {
  ArrayRef<int64_t> outer = type.getShape().drop_back();
  SmallVector<int64_t> strides = computeStrides(outer);
  SmallVector<SmallVector<int64_t>> rows;
  for (int64_t i = 0; i < computeProduct(outer); ++i) {
    rows.push_back(delinearize(i, strides));
    rows.back().push_back(0);
  }
  return rows;
}

void makeNontemporal(vector::TransferWriteOp write) {
  OpBuilder builder(write);
  Location place = write.getLoc();
  for (ArrayRef<int64_t> at : rowsOf(write.getVectorType())) {
    Value row = write.getVector();
    if (at.size() > 1)
      row = vector::ExtractOp::create(builder, place, row, at.drop_back());
    OperationState state(place, vector::StoreOp::getOperationName());
    state.addOperands({row, write.getBase()});
    state.addOperands(movedBy(builder, place, write.getIndices(), at,
                              dimensionsOf(write.getPermutationMap())));
    state.addAttribute("nontemporal", builder.getBoolAttr(true));
    state.addAttribute("alignment", builder.getI64IntegerAttr(kLine));
    builder.create(state);
  }
  write.erase();
}

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

/// Ask for the lines that lie so many bytes behind those that are read, perhaps
/// behind the buffer's end.
void prefetch(vector::TransferReadOp read, int64_t ahead) {
  OpBuilder builder(read);
  Location place = read.getLoc();
  VectorType type = read.getVectorType();
  int64_t bytes = bytesOf(cast<MemRefType>(read.getBase().getType()));
  for (SmallVector<int64_t> &at : rowsOf(type))
    for (int64_t first = 0; first < type.getShape().back() * bytes;
         first += kLine) {
      at.back() = (ahead + first) / bytes;
      memref::PrefetchOp::create(
          builder, place, read.getBase(),
          movedBy(builder, place, read.getIndices(), at,
                  dimensionsOf(read.getPermutationMap())),
          /*isWrite=*/false, kToSecondCache, /*isDataCache=*/true);
    }
}

Value allBeginLines(OpBuilder &builder, Location place, ArrayRef<Value> roots) {
  Value bits;
  for (Value root : roots) {
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(
        builder, place, builder.getIndexType(), root);
    bits = bits ? arith::OrIOp::create(builder, place, bits, address)
                      .getResult()
                : address;
  }
  Value last = arith::ConstantIndexOp::create(builder, place, kLine - 1);
  Value zero = arith::ConstantIndexOp::create(builder, place, 0);
  Value rest = arith::AndIOp::create(builder, place, bits, last);
  return arith::CmpIOp::create(builder, place, arith::CmpIPredicate::eq, rest,
                               zero);
}

/// Have a loop run where all these buffers begin a line, and a copy of it
/// elsewhere.
void whenLinesBegin(scf::ForOp loop, ArrayRef<Value> roots) {
  OpBuilder builder(loop);
  Location place = loop.getLoc();
  Value lines = allBeginLines(builder, place, roots);
  auto chosen = scf::IfOp::create(builder, place, lines,
                                  /*withElseRegion=*/true);
  chosen.getElseBodyBuilder().clone(*loop);
  loop->moveBefore(chosen.thenYield());
}

void fenceAfter(scf::ForOp loop) {
  OpBuilder builder(loop->getContext());
  builder.setInsertionPointAfter(loop);
  OperationState fence(loop.getLoc(), LLVM::CallIntrinsicOp::getOperationName());
  fence.addAttribute("intrin", builder.getStringAttr("llvm.x86.sse.sfence"));
  fence.addAttribute("op_bundle_sizes", builder.getDenseI32ArrayAttr({}));
  fence.addAttribute("operandSegmentSizes",
                     builder.getDenseI32ArrayAttr({0, 0}));
  builder.create(fence);
}

void stream(scf::ForOp loop) {
  SmallVector<vector::TransferWriteOp> streamed = shiftRows(loop);
  cutIntoLines(loop);
  size_t shifted = streamed.size();
  llvm::SetVector<Value> roots;
  loop.walk([&](vector::TransferWriteOp write) {
    Value root = writtenByLines(write);
    if (!root || loop->isAncestor(root.getParentRegion()->getParentOp()))
      return;
    streamed.push_back(write);
    roots.insert(root);
  });
  if (streamed.empty())
    return;
  if (streamed.size() > shifted)
    whenLinesBegin(loop, roots.getArrayRef());
  fenceAfter(loop);
  loop.walk([&](vector::TransferReadOp read) {
    if (llvm::any_of(streamed, [&](vector::TransferWriteOp write) {
          return isAtTheSamePlace(read, write);
        }))
      prefetch(read, kAhead);
    else if (goesAlongRows(read))
      prefetch(read, kAheadOnRows);
  });
  for (vector::TransferWriteOp write : streamed)
    makeNontemporal(write);
}

struct StreamStores : public impl::StreamStoresPassBase<StreamStores> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> outermost;
    getOperation().walk<WalkOrder::PreOrder>([&](scf::ForOp loop) {
      if (!loop->hasAttr(kStreamedAttr))
        return WalkResult::advance();
      outermost.push_back(loop);
      return WalkResult::skip();
    });
    if (hasX86())
      for (scf::ForOp loop : outermost)
        if (loop->getNumResults() == 0)
          stream(loop);
    getOperation().walk(
        [](scf::ForOp loop) { loop->removeAttr(kStreamedAttr); });
  }
};

} // namespace
} // namespace harl
