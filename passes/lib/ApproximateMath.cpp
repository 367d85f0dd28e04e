//===- ApproximateMath.cpp - Polynomials in the place of calls of libm ----===//
//
// As harl_mlir/codegen/approximate.py does; what each function is made of, and
// how far it may be off, is in approximate.mlir there.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "harl/Passes.h.inc"

#include "ApproximateText.h"

namespace {

StringRef functionFor(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](math::ExpOp) { return "exp"; })
      .Case([](math::LogOp) { return "log"; })
      .Case([](math::TanhOp) { return "tanh"; })
      .Case([](math::ErfOp) { return "erf"; })
      .Default([](Operation *) { return ""; });
}

/// f32, or a vector of that of known length.
bool isSingle(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return !vector.isScalable() && vector.getElementType().isF32();
  return type.isF32();
}

/// A copy of a scalar op, for vectors of the shape of `like` if that is one.
Value widened(OpBuilder &builder, Operation &op, Type like,
              const IRMapping &values, Location place) {
  OperationState state(place, op.getName());
  state.addAttributes(op.getAttrs());
  for (Value operand : op.getOperands())
    state.operands.push_back(values.lookup(operand));
  Type type = op.getResult(0).getType();
  if (auto vector = dyn_cast<VectorType>(like)) {
    type = vector.cloneWith(std::nullopt, type);
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      state.attributes.set(
          constant.getValueAttrName(),
          SplatElementsAttr::get(cast<ShapedType>(type), constant.getValue()));
  }
  state.types.push_back(type);
  return builder.create(state)->getResult(0);
}

/// The function's ops at the insertion point; a call becomes the callee's ops.
Value inlined(OpBuilder &builder, ModuleOp functions, StringRef name,
              Value argument, Location place) {
  auto function = functions.lookupSymbol<func::FuncOp>(name);
  Block &block = function.getBody().front();
  IRMapping values;
  values.map(block.getArgument(0), argument);
  for (Operation &op : block.without_terminator()) {
    auto call = dyn_cast<func::CallOp>(op);
    Value made = call ? inlined(builder, functions, call.getCallee(),
                                values.lookup(call.getOperand(0)), place)
                      : widened(builder, op, argument.getType(), values, place);
    values.map(op.getResult(0), made);
  }
  return values.lookup(block.getTerminator()->getOperand(0));
}

struct ApproximateMath
    : public impl::ApproximateMathPassBase<ApproximateMath> {
  void runOnOperation() override {
    SmallVector<Operation *> found;
    getOperation().walk([&](Operation *op) {
      if (!functionFor(op).empty() && isSingle(op->getResult(0).getType()))
        found.push_back(op);
    });
    if (found.empty())
      return;
    OwningOpRef<ModuleOp> functions =
        parseSourceString<ModuleOp>(kApproximateText, &getContext());
    if (!functions)
      return signalPassFailure();
    for (Operation *op : found) {
      OpBuilder builder(op);
      Value value = inlined(builder, *functions, functionFor(op),
                            op->getOperand(0), op->getLoc());
      op->getResult(0).replaceAllUsesWith(value);
      op->erase();
    }
  }
};

} // namespace
} // namespace harl
