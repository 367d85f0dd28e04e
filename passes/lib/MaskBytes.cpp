//===- MaskBytes.cpp - Buffers of i1 read and written as bytes ------------===//
//
// As harl_mlir/codegen/mask_bytes.py does, where it is told why.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/IR/Builders.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_MOVEMASKSASBYTESPASS
#define GEN_PASS_DEF_MOVESINGLEMASKSASBYTESPASS
#include "harl/Passes.h.inc"

namespace {

Type byteType(MLIRContext *context) { return IntegerType::get(context, 8); }

/// The operand that is the buffer, or null.
OpOperand *bufferOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, OpOperand *>(op)
      .Case<vector::TransferReadOp, vector::TransferWriteOp, vector::LoadOp,
            vector::StoreOp, vector::MaskedLoadOp, vector::MaskedStoreOp,
            vector::GatherOp, vector::ScatterOp, vector::ExpandLoadOp,
            vector::CompressStoreOp>([](auto each) { return &each.getBaseMutable(); })
      .Default([](Operation *) { return nullptr; });
}

/// The operand that is written, or stands for what is not read, or null.
OpOperand *heldBy(Operation *op) {
  return llvm::TypeSwitch<Operation *, OpOperand *>(op)
      .Case([](vector::TransferReadOp read) { return &read.getPaddingMutable(); })
      .Case([](vector::TransferWriteOp write) {
        return &write.getValueToStoreMutable();
      })
      .Case([](vector::StoreOp store) { return &store.getValueToStoreMutable(); })
      .Case([](vector::LoadOp) { return nullptr; })
      .Default([](Operation *each) {
        return &each->getOpOperand(each->getNumOperands() - 1);
      });
}

bool isOnMasks(Operation *op) {
  OpOperand *buffer = bufferOf(op);
  auto type = buffer ? dyn_cast<MemRefType>(buffer->get().getType()) : nullptr;
  return type && type.getElementType().isInteger(1);
}

void moveAsBytes(Operation *op) {
  OpBuilder builder(op);
  Location place = op->getLoc();
  Type byte = byteType(op->getContext());
  OpOperand *buffer = bufferOf(op);
  auto type = cast<MemRefType>(buffer->get().getType());
  // Both are the same pointer and sizes in the LLVM dialect, where the cast is
  // gone.
  buffer->set(UnrealizedConversionCastOp::create(
                  builder, place, cast<MemRefType>(type.clone(byte)), buffer->get())
                  .getResult(0));
  if (OpOperand *held = heldBy(op)) {
    Type kind = held->get().getType();
    auto vector = dyn_cast<VectorType>(kind);
    held->set(arith::ExtUIOp::create(builder, place,
                                     vector ? Type(vector.clone(byte)) : byte,
                                     held->get()));
  }
  if (!op->getNumResults())
    return;
  Value result = op->getResult(0);
  auto wide = cast<VectorType>(result.getType()).clone(byte);
  result.setType(wide);
  builder.setInsertionPointAfter(op);
  Value none = arith::ConstantOp::create(builder, place, wide,
                                         builder.getZeroAttr(wide));
  Value made = arith::CmpIOp::create(builder, place, arith::CmpIPredicate::ne,
                                     result, none);
  result.replaceAllUsesExcept(made, made.getDefiningOp());
}

struct MoveMasksAsBytes
    : public impl::MoveMasksAsBytesPassBase<MoveMasksAsBytes> {
  void runOnOperation() override {
    SmallVector<Operation *> found = onMasks();
    if (llvm::any_of(found, [](Operation *op) {
          return isa<vector::MaskOp>(op->getParentOp());
        })) {
      OpPassManager manager(func::FuncOp::getOperationName());
      manager.addPass(vector::createLowerVectorMaskPass());
      if (failed(runPipeline(manager, getOperation())))
        return signalPassFailure();
      found = onMasks();
    }
    llvm::for_each(found, moveAsBytes);
  }

  SmallVector<Operation *> onMasks() {
    SmallVector<Operation *> found;
    getOperation().walk([&](Operation *op) {
      if (isOnMasks(op))
        found.push_back(op);
    });
    return found;
  }
};

void loadByte(LLVM::LoadOp op) {
  OpBuilder builder(op);
  Location place = op.getLoc();
  Type byte = byteType(op.getContext());
  auto held = cast<LLVM::LoadOp>(builder.clone(*op));
  held.getResult().setType(byte);
  Value none = LLVM::ConstantOp::create(builder, place, byte,
                                        builder.getIntegerAttr(byte, 0));
  op.replaceAllUsesWith(Value(LLVM::ICmpOp::create(
      builder, place, LLVM::ICmpPredicate::ne, held, none)));
  op.erase();
}

struct MoveSingleMasksAsBytes
    : public impl::MoveSingleMasksAsBytesPassBase<MoveSingleMasksAsBytes> {
  void runOnOperation() override {
    Type byte = byteType(&getContext());
    getOperation().walk([&](Operation *op) {
      if (auto load = dyn_cast<LLVM::LoadOp>(op)) {
        if (load.getType().isInteger(1))
          loadByte(load);
        return;
      }
      auto store = dyn_cast<LLVM::StoreOp>(op);
      if (!store || !store.getValue().getType().isInteger(1))
        return;
      OpBuilder builder(op);
      store.getValueMutable().set(
          LLVM::ZExtOp::create(builder, op->getLoc(), byte, store.getValue()));
    });
  }
};

} // namespace

} // namespace harl
