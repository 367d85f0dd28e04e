//===- VectorMath.cpp - Calls of the system's vector math library ---------===//
//
// As harl_mlir/codegen/vector_math.py does.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "DeclaredCalls.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_VECTORMATHPASS
#include "harl/Passes.h.inc"

namespace {

/// Functions of one instruction set: the letter in their names, the bytes of
/// their vectors.
struct Width {
  char letter;
  unsigned bytes;
};

SmallVector<Width> widthsOf(VectorMath isa) {
  switch (isa) {
  case VectorMath::none:
    return {};
  case VectorMath::sse:
    return {{'b', 16}};
  case VectorMath::avx:
    return {{'c', 32}, {'b', 16}};
  case VectorMath::avx2:
    return {{'d', 32}, {'b', 16}};
  case VectorMath::avx512:
    return {{'e', 64}, {'d', 32}, {'b', 16}};
  }
  llvm_unreachable("unknown instruction set");
}

/// libm's name of what an op of the math dialect does, without the type's
/// letter; empty where the library has no such function.
StringRef libraryName(Operation *op) {
  auto [dialect, name] = op->getName().getStringRef().split('.');
  if (dialect != "math")
    return "";
  return llvm::StringSwitch<StringRef>(name)
      .Cases({"acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh",
              "cbrt"},
             name)
      .Cases({"cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1", "log"},
             name)
      .Cases({"log10", "log1p", "log2", "sin", "sinh", "tan", "tanh"}, name)
      .Case("powf", "pow")
      .Default("");
}

/// A type's element in which its functions are computed: itself, f32 for what
/// is narrower, or null.
FloatType computedIn(Type type) {
  if (isa<ShapedType>(type) && !isa<VectorType>(type))
    return {};
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  if (!element || (!element.isF32() && !element.isF64() && !element.isF16() &&
                   !element.isBF16()))
    return {};
  return element.isF64() ? element : Float32Type::get(type.getContext());
}

/// Values of one shape with elements of another type.
SmallVector<Value> extended(OpBuilder &builder, Location place,
                            ValueRange values, FloatType element) {
  SmallVector<Value> made;
  for (Value value : values) {
    Type type = element;
    if (auto vector = dyn_cast<VectorType>(value.getType()))
      type = vector.cloneWith(std::nullopt, element);
    made.push_back(value.getType() == type
                       ? value
                       : arith::ExtFOp::create(builder, place, type, value));
  }
  return made;
}

Value truncated(OpBuilder &builder, Location place, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return arith::TruncFOp::create(builder, place, type, value);
}

/// Replaces functions of vectors in pieces of the processor's width.
class Pieces {
public:
  Pieces(Calls &calls, ArrayRef<Width> widths, Operation *op)
      : calls(calls), widths(widths), name(libraryName(op)), builder(op),
        place(op->getLoc()) {}

  /// Vectors of any shape: row by row where whole vectors fit, else as one
  /// row.
  Value byRows(ValueRange operands) {
    auto type = cast<VectorType>(operands.front().getType());
    if (type.getRank() == 1)
      return ofRow(operands);
    int64_t lanes = lanesOf(widths.front(), type);
    Type element = type.getElementType();
    if (type.getShape().back() % lanes) {
      auto row = VectorType::get({type.getNumElements()}, element);
      SmallVector<Value> flat;
      for (Value value : operands)
        flat.push_back(
            vector::ShapeCastOp::create(builder, place, row, value));
      return vector::ShapeCastOp::create(builder, place, type, ofRow(flat));
    }
    Value made = operands.front();
    ArrayRef<int64_t> outer = type.getShape().drop_back();
    SmallVector<int64_t> strides = computeStrides(outer);
    for (int64_t i = 0; i < computeProduct(outer); ++i) {
      SmallVector<int64_t> at = delinearize(i, strides);
      SmallVector<Value> rows;
      for (Value value : operands)
        rows.push_back(vector::ExtractOp::create(builder, place, value, at));
      made = vector::InsertOp::create(builder, place, ofRow(rows), made, at);
    }
    return made;
  }

private:
  static int64_t lanesOf(Width width, VectorType type) {
    return width.bytes * 8 / type.getElementTypeBitWidth();
  }

  /// The widest function that is filled, or the narrowest that holds all that
  /// is left.
  Width widthFor(int64_t left, VectorType type) {
    Width found = widths.front();
    for (Width width : widths)
      if (lanesOf(width, type) >= left)
        found = width;
    return found;
  }

  Value called(Width width, int64_t lanes, ValueRange operands) {
    bool single = getElementTypeOrSelf(operands.front().getType()).isF32();
    std::string symbol = "_ZGV";
    symbol += width.letter;
    symbol += "N" + std::to_string(lanes) +
              std::string(operands.size(), 'v') + "_" + name.str() +
              (single ? "f" : "");
    return calls.call(builder, place, symbol, operands);
  }

  Value slice(Value value, int64_t first, int64_t count) {
    return vector::ExtractStridedSliceOp::create(
        builder, place, value, ArrayRef<int64_t>{first},
        ArrayRef<int64_t>{count}, ArrayRef<int64_t>{1});
  }

  Value ofRow(ValueRange operands) {
    auto type = cast<VectorType>(operands.front().getType());
    int64_t count = type.getNumElements();
    Value made = operands.front();
    for (int64_t start = 0; start < count;) {
      Width width = widthFor(count - start, type);
      int64_t lanes = lanesOf(width, type);
      if (lanes == count)
        return called(width, lanes, operands);
      int64_t held = std::min(lanes, count - start);
      SmallVector<int64_t> filled;
      for (int64_t i = 0; i < lanes; ++i)
        filled.push_back(std::min(i, held - 1));
      SmallVector<Value> parts;
      for (Value value : operands) {
        Value part = slice(value, start, held);
        if (held < lanes)
          part =
              vector::ShuffleOp::create(builder, place, part, part, filled);
        parts.push_back(part);
      }
      Value value = called(width, lanes, parts);
      if (held < lanes)
        value = slice(value, 0, held);
      made = vector::InsertStridedSliceOp::create(
          builder, place, value, made, ArrayRef<int64_t>{start},
          ArrayRef<int64_t>{1});
      start += held;
    }
    return made;
  }

  Calls &calls;
  ArrayRef<Width> widths;
  StringRef name;
  OpBuilder builder;
  Location place;
};

/// One call of libm an element.
Value byElements(Calls &calls, Operation *op) {
  OpBuilder builder(op);
  Location place = op->getLoc();
  Value given = op->getOperand(0);
  FloatType single = computedIn(given.getType());
  Type element = getElementTypeOrSelf(given.getType());
  auto one = [&](Value value) {
    Value wide = extended(builder, place, value, single).front();
    Value made = calls.call(
        builder, place, libraryName(op) + (single.isF32() ? "f" : ""), wide);
    return truncated(builder, place, made, element);
  };
  auto type = dyn_cast<VectorType>(given.getType());
  if (!type)
    return one(given);
  Value made = given;
  SmallVector<int64_t> strides = computeStrides(type.getShape());
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    SmallVector<int64_t> at = delinearize(i, strides);
    Value taken = vector::ExtractOp::create(builder, place, given, at);
    made = vector::InsertOp::create(builder, place, one(taken), made, at);
  }
  return made;
}

struct VectorMathCalls : public impl::VectorMathPassBase<VectorMathCalls> {
  using VectorMathPassBase::VectorMathPassBase;

  void runOnOperation() override {
    SmallVector<Width> widths = widthsOf(isa);
    SmallVector<Operation *> found;
    getOperation().walk([&](Operation *op) {
      if (!libraryName(op).empty() && computedIn(op->getResult(0).getType()))
        found.push_back(op);
    });
    Calls calls(getOperation());
    for (Operation *op : found) {
      Type type = op->getResult(0).getType();
      auto vector = dyn_cast<VectorType>(type);
      if (vector && vector.isScalable())
        continue;
      Value made;
      if (vector && vector.getRank() && !widths.empty()) {
        OpBuilder builder(op);
        SmallVector<Value> operands = extended(
            builder, op->getLoc(), op->getOperands(), computedIn(type));
        made = truncated(builder, op->getLoc(),
                         Pieces(calls, widths, op).byRows(operands), type);
      } else if (isa_and_nonnull<math::Log1pOp, math::ExpM1Op>(op)) {
        made = byElements(calls, op);
      } else {
        continue;
      }
      op->getResult(0).replaceAllUsesWith(made);
      op->erase();
    }
  }
};

} // namespace
} // namespace harl
