//===- BF16Moves.cpp - Numbers of bf16 that are only moved ----------------===//
//
// As harl_mlir/codegen/bf16_moves.py does, where it is told why.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_MOVEBF16ASBITSPASS
#include "harl/Passes.h.inc"

namespace {

/// The type of the bits of a number or of a vector of bf16, or null.
Type bitsOf(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  if (!getElementTypeOrSelf(type).isBF16() || (!vector && !type.isBF16()))
    return Type();
  Type bits = IntegerType::get(type.getContext(), 16);
  return vector ? Type(vector.clone(bits)) : bits;
}

bool isOneByOne(Operation *op) {
  return isa<LLVM::ExtractElementOp, LLVM::InsertElementOp>(op);
}

bool isMove(Operation *op) {
  return isOneByOne(op) ||
         isa<LLVM::LoadOp, LLVM::StoreOp, LLVM::ShuffleVectorOp, LLVM::BrOp,
             LLVM::CondBrOp, LLVM::SwitchOp, LLVM::PoisonOp, LLVM::UndefOp,
             LLVM::ZeroOp>(op);
}

/// What is moved inside `top`. What enters a region comes from outside, as a
/// function's parameters do.
llvm::SetVector<Value> movedIn(Operation *top) {
  llvm::SetVector<Value> moved;
  auto add = [&](Value value) {
    if (bitsOf(value.getType()))
      moved.insert(value);
  };
  top->walk([&](Operation *op) {
    if (isMove(op))
      llvm::for_each(op->getResults(), add);
    for (Region &region : op->getRegions())
      for (Block &block : llvm::drop_begin(region, region.empty() ? 0 : 1))
        llvm::for_each(block.getArguments(), add);
  });
  return moved;
}

void retype(Operation *top) {
  llvm::SetVector<Value> moved = movedIn(top);
  top->walk([&](Operation *op) {
    bool moves = isMove(op);
    for (OpOperand &operand : op->getOpOperands()) {
      Type type = operand.get().getType(), bits = bitsOf(type);
      if (!bits || moves == moved.contains(operand.get()))
        continue;
      OpBuilder builder(op);
      operand.set(LLVM::BitcastOp::create(builder, op->getLoc(),
                                          moves ? bits : type, operand.get()));
    }
  });
  for (Value value : moved)
    value.setType(bitsOf(value.getType()));
}

struct MoveBF16AsBits : public impl::MoveBF16AsBitsPassBase<MoveBF16AsBits> {
  void runOnOperation() override {
    for (Operation &top : *getOperation().getBody()) {
      WalkResult found = top.walk([](Operation *op) {
        return isOneByOne(op) && bitsOf(op->getOperand(0).getType())
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      });
      if (found.wasInterrupted())
        retype(&top);
    }
  }
};

} // namespace

} // namespace harl
