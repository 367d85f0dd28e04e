//===- ApproximateMath.cpp - Polynomials in the place of calls of libm ----===//
//
// As harl_mlir/codegen/approximate.py does; what each function is made of, and
// how far it may be off, is in approximate.mlir there.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "DeclaredCalls.h"
#include "DotVectors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <optional>

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

/// f32, f16 or bf16, or a vector of those of known length.
bool isKnown(Type type) {
  if (auto vector = dyn_cast<VectorType>(type)) {
    if (vector.isScalable())
      return false;
    type = vector.getElementType();
  }
  return type.isF32() || type.isF16() || type.isBF16();
}

/// Whether a value, or each element of it, is about that constant.
bool isNumber(Value value, double number) {
  FloatAttr constant;
  DenseFPElementsAttr elements;
  double found;
  if (matchPattern(value, m_Constant(&constant)))
    found = constant.getValueAsDouble();
  else if (matchPattern(value, m_Constant(&elements)) && elements.isSplat())
    found = elements.getSplatValue<APFloat>().convertToDouble();
  else
    return false;
  return std::abs(found - number) <= 1e-6 * number;
}

/// Whether one of two values is `x`, and the other a constant.
bool are(Value left, Value right, Value x, double number) {
  return (left == x && isNumber(right, number)) ||
         (right == x && isNumber(left, number));
}

/// What is divided by the square root of two, or multiplied by its
/// reciprocal, to give `value`; else null.
Value timesRootHalf(Value value) {
  if (auto quotient = value.getDefiningOp<arith::DivFOp>())
    return isNumber(quotient.getRhs(), std::sqrt(2.0)) ? quotient.getLhs()
                                                       : Value();
  auto product = value.getDefiningOp<arith::MulFOp>();
  if (!product)
    return {};
  if (isNumber(product.getRhs(), std::sqrt(0.5)))
    return product.getLhs();
  return isNumber(product.getLhs(), std::sqrt(0.5)) ? product.getRhs()
                                                    : Value();
}

/// The op of a kind that alone uses the result of `op`, once; else null.
template <typename Op>
Op onlyUse(Operation *op) {
  return op->hasOneUse() ? dyn_cast<Op>(*op->user_begin()) : Op();
}

/// The other operand of an op of two, of which `one` makes one.
Value other(Operation *op, Operation *one) {
  return op->getOperand(op->getOperand(0) == one->getResult(0) ? 1 : 0);
}

/// What a function takes the place of, and the function's operand.
struct Replaced {
  SmallVector<Operation *> ops;
  StringRef function;
  Value argument;
};

/// The ops from `erf` on that nothing but x (1 + erf(x / sqrt(2))) / 2 needs.
std::optional<Replaced> geluAround(math::ErfOp erf) {
  Value x = timesRootHalf(erf.getOperand());
  auto oneMore = onlyUse<arith::AddFOp>(erf);
  if (!x || !oneMore || !isNumber(other(oneMore, erf), 1.0))
    return std::nullopt;
  auto product = onlyUse<arith::MulFOp>(oneMore);
  if (!product)
    return std::nullopt;
  Value factor = other(product, oneMore);
  auto half = factor.getDefiningOp<arith::MulFOp>();
  if (half && are(half.getLhs(), half.getRhs(), x, 0.5))
    return Replaced{{erf, oneMore, product}, "gelu", x};
  auto whole = onlyUse<arith::MulFOp>(product);
  if (whole && are(factor, other(whole, product), x, 0.5))
    return Replaced{{erf, oneMore, product, whole}, "gelu", x};
  return std::nullopt;
}

/// A copy of a scalar op, for vectors of the shape of `like` if that is one.
Value widened(OpBuilder &builder, Operation &op, Type like,
              ArrayRef<Value> operands, Location place) {
  OperationState state(place, op.getName());
  state.addAttributes(op.getAttrs());
  state.addOperands(operands);
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

constexpr int64_t kLanes = 16;

/// Whether it is a vector whose rows fill registers.
bool isWhole(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getRank() > 0 &&
         vector.getShape().back() % kLanes == 0;
}

/// The functions of approximate.mlir, for a module.
class Functions {
public:
  Functions(ModuleOp functions, ModuleOp module)
      : functions(functions), calls(module) {}

  /// The function's ops at the insertion point; a call becomes the callee's
  /// ops.
  Value inlined(OpBuilder &builder, StringRef name, ValueRange arguments,
                Location place) {
    auto function = functions.lookupSymbol<func::FuncOp>(name);
    if (function.isDeclaration())
      return scaled(builder, arguments[0], arguments[1], place);
    Block &block = function.getBody().front();
    IRMapping values;
    values.map(block.getArguments(), arguments);
    for (Operation &op : block.without_terminator()) {
      SmallVector<Value> operands;
      for (Value operand : op.getOperands())
        operands.push_back(values.lookup(operand));
      auto call = dyn_cast<func::CallOp>(op);
      Value made =
          call ? inlined(builder, call.getCallee(), operands, place)
               : widened(builder, op, arguments[0].getType(), operands, place);
      values.map(op.getResult(0), made);
    }
    return values.lookup(block.getTerminator()->getOperand(0));
  }

private:
  /// @scale: values times two to the powers, by the processor's instruction
  /// for each register.
  Value scaled(OpBuilder &builder, Value values, Value powers,
               Location place) {
    Value every = arith::ConstantIntOp::create(builder, place, -1, 16);
    // The rounding that is set.
    Value rounding = arith::ConstantIntOp::create(builder, place, 4, 32);
    auto type = cast<VectorType>(values.getType());
    ArrayRef<int64_t> outer = type.getShape().drop_back();
    Value made = values;
    for (int64_t number = 0, end = computeProduct(outer); number < end;
         ++number) {
      SmallVector<int64_t> at = delinearize(number, computeStrides(outer));
      Value row = values, by = powers;
      if (!at.empty()) {
        row = vector::ExtractOp::create(builder, place, values, at);
        by = vector::ExtractOp::create(builder, place, powers, at);
      }
      Value whole = row;
      for (int64_t first = 0; first < type.getShape().back();
           first += kLanes) {
        Value lanes = lanesFrom(builder, place, row, first, kLanes);
        Value n = lanesFrom(builder, place, by, first, kLanes);
        // A call of what LLVM knows by name: the deallocation of buffers
        // refuses intrinsics.
        Value part =
            calls.call(builder, place, "llvm.x86.avx512.mask.scalef.ps.512",
                       {lanes, n, lanes, every, rounding});
        whole = putLanes(builder, place, part, whole, first);
      }
      made = at.empty() ? whole
                        : vector::InsertOp::create(builder, place, whole, made,
                                                   at)
                              .getResult();
    }
    return made;
  }

  ModuleOp functions;
  Calls calls;
};

struct ApproximateMath
    : public impl::ApproximateMathPassBase<ApproximateMath> {
  using ApproximateMathPassBase::ApproximateMathPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> found;
    getOperation().walk([&](Operation *op) {
      if (!functionFor(op).empty() && isKnown(op->getResult(0).getType()))
        found.push_back(op);
    });
    if (found.empty())
      return;
    OwningOpRef<ModuleOp> text =
        parseSourceString<ModuleOp>(kApproximateText, &getContext());
    if (!text)
      return signalPassFailure();
    Functions functions(*text, getOperation());
    for (Operation *op : found) {
      Replaced replaced{{op}, functionFor(op), op->getOperand(0)};
      if (auto erf = dyn_cast<math::ErfOp>(op))
        if (std::optional<Replaced> gelu = geluAround(erf))
          replaced = *gelu;
      Operation *last = replaced.ops.back();
      OpBuilder builder(last);
      Location place = op->getLoc();
      Type type = replaced.argument.getType();
      Type single = builder.getF32Type();
      if (auto vector = dyn_cast<VectorType>(type))
        single = vector.cloneWith(std::nullopt, single);
      Value value = replaced.argument;
      if (type != single)
        value = arith::ExtFOp::create(builder, place, single, value);
      bool scales = avx512 && replaced.function == "exp" && isWhole(single);
      value = functions.inlined(
          builder, scales ? "exp_by_scale" : replaced.function, value, place);
      if (type != single)
        value = arith::TruncFOp::create(builder, place, type, value);
      last->getResult(0).replaceAllUsesWith(value);
      for (Operation *each : llvm::reverse(replaced.ops))
        each->erase();
    }
  }
};

} // namespace
} // namespace harl
