//===- Buffers.cpp - What no pass of MLIR does to bufferized functions ----===//
//
// The two steps of harl_mlir/codegen/buffers.py.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_COPIESTOLOOPSPASS
#define GEN_PASS_DEF_PARTEQUALRESULTSPASS
#include "harl/Passes.h.inc"

namespace {

/// Less than this at a time is not worth a memcpy.
constexpr int64_t kLeastBytes = 16;

/// Whether LLVM is given a memcpy for it, and not a call of memrefCopy.
bool isContiguous(MemRefType type) {
  if (type.getLayout().isIdentity())
    return true;
  return type.hasStaticShape() && type.getNumElements() > 0 &&
         memref::isStaticShapeAndContiguousRowMajor(type);
}

/// How many dimensions are around what lies in one piece in both buffers.
int64_t outerDims(MemRefType source, MemRefType target) {
  int64_t outer = 0;
  for (MemRefType type : {source, target}) {
    auto [strides, offset] = type.getStridesAndOffset();
    int64_t inner = type.getRank(), held = 1;
    for (; inner && (type.getDimSize(inner - 1) == 1 ||
                     strides[inner - 1] == held);
         --inner)
      held *= type.getDimSize(inner - 1);
    outer = std::max(outer, inner);
  }
  return outer;
}

bool isWorthPieces(MemRefType source, MemRefType target) {
  if (!source.hasStaticShape() || !target.hasStaticShape())
    return false;
  Type element = source.getElementType();
  int64_t bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
  ArrayRef<int64_t> piece =
      source.getShape().drop_front(outerDims(source, target));
  return computeProduct(piece) * std::max<int64_t>(1, bits / 8) >= kLeastBytes;
}

/// What lies in one piece at these positions of the outer dimensions, without
/// dimensions of one element.
Value pieceOf(OpBuilder &builder, Location place, Value buffer,
              ArrayRef<OpFoldResult> positions) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<OpFoldResult> offsets(positions), sizes,
      steps(type.getRank(), builder.getIndexAttr(1));
  offsets.resize(type.getRank(), builder.getIndexAttr(0));
  SmallVector<int64_t> shape;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    int64_t size =
        dim < int64_t(positions.size()) ? 1 : type.getDimSize(dim);
    sizes.push_back(builder.getIndexAttr(size));
    if (size != 1)
      shape.push_back(size);
  }
  MemRefType piece = memref::SubViewOp::inferRankReducedResultType(
      shape, type, offsets, sizes, steps);
  return memref::SubViewOp::create(builder, place, piece, buffer, offsets,
                                   sizes, steps);
}

/// Loops over the outer dimensions around a copy.
void copyPieces(OpBuilder &builder, Location place, Value source,
                Value target) {
  auto type = cast<MemRefType>(source.getType());
  int64_t outer = outerDims(type, cast<MemRefType>(target.getType()));
  OpBuilder::InsertionGuard guard(builder);
  auto number = [&](int64_t value) {
    return arith::ConstantIndexOp::create(builder, place, value);
  };
  Value zero = number(0), one = number(1);
  SmallVector<OpFoldResult> positions;
  for (int64_t extent : type.getShape().take_front(outer)) {
    if (extent == 1) {
      positions.push_back(builder.getIndexAttr(0));
      continue;
    }
    auto loop = scf::ForOp::create(builder, place, zero, number(extent), one);
    builder.setInsertionPointToStart(loop.getBody());
    positions.push_back(loop.getInductionVar());
  }
  memref::CopyOp::create(builder, place,
                         pieceOf(builder, place, source, positions),
                         pieceOf(builder, place, target, positions));
}

/// Puts the copy that it becomes in the place of a copy.
template <typename CopyOp>
void replaceCopy(CopyOp copy, Value source, Value target) {
  auto from = dyn_cast<MemRefType>(source.getType());
  auto to = dyn_cast<MemRefType>(target.getType());
  // The rank of others is not known.
  if (!from || !to || from.getElementType() != to.getElementType())
    return;
  constexpr bool isPlain = std::is_same_v<CopyOp, memref::CopyOp>;
  bool whole = isContiguous(from) && isContiguous(to);
  if (whole && isPlain)
    return;
  OpBuilder builder(copy);
  if (whole)
    memref::CopyOp::create(builder, copy.getLoc(), source, target);
  else if (isWorthPieces(from, to))
    copyPieces(builder, copy.getLoc(), source, target);
  else if (isPlain)
    linalg::CopyOp::create(builder, copy.getLoc(), source, target);
  else
    return;
  copy.erase();
}

struct CopiesToLoops
    : public impl::CopiesToLoopsPassBase<CopiesToLoops> {
  void runOnOperation() override {
    SmallVector<Operation *> copies;
    getOperation().walk([&](Operation *op) {
      auto copy = dyn_cast<linalg::CopyOp>(op);
      if (isa<memref::CopyOp>(op) || (copy && copy.hasPureBufferSemantics()))
        copies.push_back(op);
    });
    for (Operation *op : copies) {
      if (auto copy = dyn_cast<memref::CopyOp>(op))
        replaceCopy(copy, copy.getSource(), copy.getTarget());
      else if (auto copy = dyn_cast<linalg::CopyOp>(op))
        replaceCopy(copy, copy.getInputs()[0], copy.getOutputs()[0]);
    }
  }
};

/// A buffer of the same type and contents, made before `before`.
Value copyOf(Value buffer, Operation *before) {
  OpBuilder builder(before);
  Location place = before->getLoc();
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(memref::DimOp::create(builder, place, buffer, dim));
  Value copy = memref::AllocOp::create(builder, place, type, sizes);
  memref::CopyOp::create(builder, place, buffer, copy);
  return copy;
}

struct PartEqualResults
    : public impl::PartEqualResultsPassBase<PartEqualResults> {
  void runOnOperation() override {
    getOperation().walk([](func::ReturnOp end) {
      llvm::SmallDenseSet<Value> seen;
      for (OpOperand &operand : end->getOpOperands()) {
        Value value = operand.get();
        auto type = dyn_cast<MemRefType>(value.getType());
        if (seen.insert(value).second || !type || isa<BlockArgument>(value))
          continue;
        // What a buffer of its own may look like; others no function has after
        // bufferization with identity layouts.
        if (type.getLayout().isIdentity())
          operand.set(copyOf(value, end));
      }
    });
  }
};

} // namespace
} // namespace harl
