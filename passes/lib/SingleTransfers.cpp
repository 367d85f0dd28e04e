//===- SingleTransfers.cpp - Transfers of single numbers ------------------===//
//
// As harl_mlir/codegen/single_transfers.py does, where it is told why.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_SINGLETRANSFERSPASS
#include "harl/Passes.h.inc"

namespace {

bool isStuck(VectorTransferOpInterface op) {
  auto buffer = dyn_cast<MemRefType>(op.getShapedType());
  if (!buffer || !buffer.getRank() || op.getVectorType().getRank() ||
      op.getMask())
    return false;
  auto [strides, offset] = buffer.getStridesAndOffset();
  return strides.back() != 1;
}

void replace(vector::TransferReadOp op) {
  OpBuilder builder(op);
  Value loaded = memref::LoadOp::create(builder, op.getLoc(), op.getBase(),
                                        op.getIndices());
  op.replaceAllUsesWith(Value(vector::BroadcastOp::create(
      builder, op.getLoc(), op.getVectorType(), loaded)));
  op.erase();
}

void replace(vector::TransferWriteOp op) {
  OpBuilder builder(op);
  Value taken = vector::ExtractOp::create(builder, op.getLoc(), op.getVector(),
                                          ArrayRef<int64_t>());
  memref::StoreOp::create(builder, op.getLoc(), taken, op.getBase(),
                          op.getIndices());
  op.erase();
}

struct SingleTransfers
    : public impl::SingleTransfersPassBase<SingleTransfers> {
  void runOnOperation() override {
    getOperation().walk([](VectorTransferOpInterface op) {
      if (!isStuck(op))
        return;
      if (auto read = dyn_cast<vector::TransferReadOp>(op.getOperation()))
        replace(read);
      else
        replace(cast<vector::TransferWriteOp>(op.getOperation()));
    });
  }
};

} // namespace

} // namespace harl
