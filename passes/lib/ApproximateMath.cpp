//===- ApproximateMath.cpp - Polynomials in the place of calls of libm ----===//
//
// As harl_mlir/codegen/approximate.py does; what each function is made of, and
// how far it may be off, is in approximate.mlir and approximate_avx512.mlir
// there.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "DeclaredCalls.h"
#include "DotVectors.h"
#include "Gelu.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/TypeSwitch.h"

#include <string>

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "harl/Passes.h.inc"

#include "ApproximateText.h"
#include "TablesText.h"

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

/// A copy of a scalar op, for vectors of the shape of `like` if that is one; of
/// a table as it is.
Value widened(OpBuilder &builder, Operation &op, Type like,
              ArrayRef<Value> operands, Location place) {
  OperationState state(place, op.getName());
  state.addAttributes(op.getAttrs());
  state.addOperands(operands);
  Type type = op.getResult(0).getType();
  auto vector = dyn_cast<VectorType>(like);
  if (vector && !isa<VectorType>(type)) {
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

/// What an instruction of registers makes of them.
using Instruction = llvm::function_ref<Value(ValueRange)>;

Value zeros(OpBuilder &builder, Location place, ArrayRef<int64_t> shape) {
  auto type = VectorType::get(shape, builder.getF32Type());
  return arith::ConstantOp::create(
      builder, place, SplatElementsAttr::get(type, builder.getF32FloatAttr(0)));
}

Value rowByRegisters(OpBuilder &builder, Location place,
                     Instruction instruction, ValueRange rows) {
  int64_t count = cast<VectorType>(rows[0].getType()).getDimSize(0);
  int64_t rounded = llvm::alignTo(count, kLanes);
  SmallVector<Value> wide;
  for (Value row : rows)
    wide.push_back(resized(builder, place, row, rounded));
  if (rounded == kLanes)
    return resized(builder, place, instruction(wide), count);
  Value whole = zeros(builder, place, {rounded});
  for (int64_t first = 0; first < rounded; first += kLanes) {
    SmallVector<Value> lanes;
    for (Value row : wide)
      lanes.push_back(lanesFrom(builder, place, row, first, kLanes));
    whole = putLanes(builder, place, instruction(lanes), whole, first);
  }
  return resized(builder, place, whole, count);
}

/// What an instruction of registers, whose result is of f32, makes of scalars
/// or vectors of one shape.
Value byRegisters(OpBuilder &builder, Location place, Instruction instruction,
                  ValueRange operands) {
  auto type = dyn_cast<VectorType>(operands[0].getType());
  SmallVector<Value> parts;
  if (!type) {
    for (Value each : operands)
      parts.push_back(vector::BroadcastOp::create(
          builder, place, VectorType::get({kLanes}, each.getType()), each));
    return vector::ExtractOp::create(builder, place, instruction(parts),
                                     ArrayRef<int64_t>{0});
  }
  auto take = [&](ArrayRef<int64_t> at) {
    parts.clear();
    for (Value each : operands)
      parts.push_back(vector::ExtractOp::create(builder, place, each, at));
  };
  if (type.getRank() == 0) {
    take({});
    Value one = byRegisters(builder, place, instruction, parts);
    return vector::BroadcastOp::create(
        builder, place, VectorType::get({}, one.getType()), one);
  }
  if (type.getRank() == 1)
    return rowByRegisters(builder, place, instruction, operands);
  ArrayRef<int64_t> outer = type.getShape().drop_back();
  Value made = zeros(builder, place, type.getShape());
  for (int64_t number = 0; number < computeProduct(outer); ++number) {
    SmallVector<int64_t> at = delinearize(number, computeStrides(outer));
    take(at);
    Value row = rowByRegisters(builder, place, instruction, parts);
    made = vector::InsertOp::create(builder, place, row, made, at);
  }
  return made;
}

/// The functions of the texts, for a module.
class Functions {
public:
  explicit Functions(ModuleOp module) : calls(module) {}

  LogicalResult read(StringRef text, MLIRContext *context) {
    parsed.push_back(parseSourceString<ModuleOp>(text, context));
    return success(static_cast<bool>(parsed.back()));
  }

  /// The function's ops at the insertion point; a call becomes the callee's
  /// ops.
  Value inlined(OpBuilder &builder, StringRef name, ValueRange arguments,
                Location place) {
    func::FuncOp function;
    for (OwningOpRef<ModuleOp> &text : parsed)
      if (auto found = text->lookupSymbol<func::FuncOp>(name))
        function = found;
    if (function.isDeclaration())
      return declared(builder, name, arguments, place);
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
  /// @scale or @entry, by calls of what LLVM knows by name: the deallocation
  /// of buffers refuses intrinsics.
  Value declared(OpBuilder &builder, StringRef name, ValueRange arguments,
                 Location place) {
    if (name == "entry") {
      auto entry = [&](ValueRange index) {
        return calls.call(builder, place, "llvm.x86.avx512.permvar.sf.512",
                          {arguments[1], index[0]});
      };
      return byRegisters(builder, place, entry, arguments.take_front());
    }
    Value every = arith::ConstantIntOp::create(builder, place, -1, 16);
    // The rounding that is set.
    Value rounding = arith::ConstantIntOp::create(builder, place, 4, 32);
    auto scaled = [&](ValueRange lanes) {
      return calls.call(builder, place, "llvm.x86.avx512.mask.scalef.ps.512",
                        {lanes[0], lanes[1], lanes[0], every, rounding});
    };
    return byRegisters(builder, place, scaled, arguments);
  }

  SmallVector<OwningOpRef<ModuleOp>> parsed;
  Calls calls;
};

bool hasTable(StringRef function) {
  return llvm::is_contained(
      {"exp", "exp_in_sigmoid", "tanh", "gelu", "gelu_tanh"}, function);
}

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
    Functions functions(getOperation());
    if (failed(functions.read(kApproximateText, &getContext())) ||
        (avx512 && failed(functions.read(kTablesText, &getContext()))))
      return signalPassFailure();
    for (Operation *op : found) {
      std::optional<Gelu> whole = geluAround(op, avx512);
      if (!whole && avx512)
        whole = expInSigmoid(op);
      Gelu replaced = whole.value_or(
          Gelu{{op}, functionFor(op), op->getOperand(0)});
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
      std::string name = replaced.function.str();
      if (avx512 && hasTable(name))
        name += "_by_table";
      value = functions.inlined(builder, name, value, place);
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
