//===- Buffers.cpp - What no pass of MLIR does to bufferized functions ----===//
//
// The two steps of harl_mlir/codegen/buffers.py.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_COPIESTOLOOPSPASS
#define GEN_PASS_DEF_PARTEQUALRESULTSPASS
#include "harl/Passes.h.inc"

namespace {

/// Whether LLVM is given a memcpy for it, and not a call of memrefCopy.
bool isContiguous(MemRefType type) {
  if (type.getLayout().isIdentity())
    return true;
  return type.hasStaticShape() && type.getNumElements() > 0 &&
         memref::isStaticShapeAndContiguousRowMajor(type);
}

struct CopiesToLoops
    : public impl::CopiesToLoopsPassBase<CopiesToLoops> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> strided;
    getOperation().walk([&](memref::CopyOp copy) {
      auto source = dyn_cast<MemRefType>(copy.getSource().getType());
      auto target = dyn_cast<MemRefType>(copy.getTarget().getType());
      // The rank of the others is not known.
      if (source && target && !(isContiguous(source) && isContiguous(target)))
        strided.push_back(copy);
    });
    for (memref::CopyOp copy : strided) {
      OpBuilder builder(copy);
      linalg::CopyOp::create(builder, copy.getLoc(), copy.getSource(),
                             copy.getTarget());
      copy.erase();
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
