//===- PartWrites.cpp - Writes of vectors to parts of tensors -------------===//
//
// As harl_mlir/codegen/part_writes.py does, where it is told why.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_KEEPPARTWRITESPASS
#include "harl/Passes.h.inc"

namespace {

/// Whether a vector is read from or written to a tensor, of which it is a part,
/// at indices of zero.
bool isAtTheBeginning(VectorTransferOpInterface op) {
  auto tensor = dyn_cast<RankedTensorType>(op.getShapedType());
  return tensor && tensor.getRank() && !op.getPermutationMap().isIdentity() &&
         llvm::all_of(op.getIndices(),
                      [](Value index) { return isZeroInteger(index); });
}

struct KeepPartWrites : public impl::KeepPartWritesPassBase<KeepPartWrites> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    SmallVector<VectorTransferOpInterface> found;
    getOperation().walk([&](VectorTransferOpInterface op) {
      if (isAtTheBeginning(op))
        found.push_back(op);
    });
    if (found.empty())
      return;
    OpBuilder builder(&getContext());
    builder.setInsertionPointToStart(&getOperation().front());
    Location place = getOperation().getLoc();
    Value zero = arith::ConstantIndexOp::create(builder, place, 0);
    Value sum = arith::AddIOp::create(builder, place, zero, zero);
    for (VectorTransferOpInterface op : found) {
      OperandRange indices = op.getIndices();
      op->setOperand(indices.getBeginOperandIndex(), sum);
    }
  }
};

} // namespace

} // namespace harl
