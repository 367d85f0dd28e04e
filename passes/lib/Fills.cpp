//===- Fills.cpp - Fills and empties that several ops share ---------------===//

#include "Fills.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

bool isFill(Operation *op) {
  if (isa<linalg::FillOp>(op))
    return true;
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getBody()->getOperations().size() == 1 &&
         llvm::count_if(op->getOperandTypes(), llvm::IsaPred<ShapedType>) == 1;
}

void partFills(func::FuncOp function, StringRef mark) {
  SmallVector<Operation *> fills;
  function.walk([&](linalg::LinalgOp op) {
    if (isFill(op) && op->getNumResults() == 1)
      fills.push_back(op);
  });
  for (Operation *fill : fills) {
    if (fill->use_empty())
      continue;
    SmallVector<OpOperand *> shared;
    for (OpOperand &use : llvm::drop_begin(fill->getResult(0).getUses()))
      if (isa<linalg::LinalgOp>(use.getOwner()))
        shared.push_back(&use);
    for (OpOperand *use : shared) {
      Operation *own = OpBuilder(use->getOwner()).clone(*fill);
      if (!mark.empty())
        own->removeAttr(mark);
      use->set(own->getResult(0));
    }
  }
}

void ownEmpties(Operation *op) {
  for (OpOperand &use : op->getOpOperands())
    if (auto empty = use.get().getDefiningOp<tensor::EmptyOp>();
        empty && !use.get().hasOneUse())
      use.set(OpBuilder(op).clone(*empty)->getResult(0));
}

void partEmpties(func::FuncOp function) {
  function.walk([](linalg::LinalgOp op) { ownEmpties(op); });
}

} // namespace harl
