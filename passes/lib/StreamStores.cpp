//===- StreamStores.cpp - Stores past the caches --------------------------===//
//
// As harl_mlir/codegen/streaming.py does.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "LinePieces.h"
#include "Prefetches.h"
#include "ShiftedRows.h"
#include "WholeLines.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_STREAMSTORESPASS
#include "harl/Passes.h.inc"

namespace {

constexpr StringLiteral kFetchedAttr = "harl.fetched";
constexpr StringLiteral kStreamedAttr = "harl.streamed";

bool hasX86() {
#if defined(__x86_64__)
  return true;
#else
  return false;
#endif
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
  prefetchReads(loop, streamed);
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
    getOperation().walk([](scf::ForOp loop) {
      loop->removeAttr(kStreamedAttr);
      if (loop->removeAttr(kFetchedAttr))
        prefetchUnwritten(loop);
    });
  }
};

} // namespace
} // namespace harl
