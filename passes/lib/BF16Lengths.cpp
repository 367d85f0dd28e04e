//===- BF16Lengths.cpp - Vectors of 9, 17, 25, ... bf16 -------------------===//
//
// As harl_mlir/codegen/bf16_lengths.py does, where it is told why.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_PADBF16VECTORSPASS
#include "harl/Passes.h.inc"

namespace {

constexpr int64_t kStep = 8;
constexpr unsigned kBytes = 2;

/// The last extent of a vector of bf16 if it is to change, or 0.
int64_t oddLength(VectorType type) {
  if (!type || !type.getElementType().isBF16() || type.getRank() == 0)
    return 0;
  int64_t length = type.getShape().back();
  return length > kStep && length % kStep == 1 ? length : 0;
}

VectorType padded(VectorType type) {
  SmallVector<int64_t> shape(type.getShape());
  shape.back() += kStep - 1;
  return VectorType::get(shape, type.getElementType());
}

int64_t oddLength(Type type) {
  int64_t found = 0;
  type.walk([&](VectorType part) {
    if (!found)
      found = oddLength(part);
  });
  return found;
}

int64_t oddLength(Operation *op) {
  for (Type type : op->getOperandTypes())
    if (int64_t length = oddLength(type))
      return length;
  for (Type type : op->getResultTypes())
    if (int64_t length = oddLength(type))
      return length;
  return 0;
}

int64_t lanesOf(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getRank() == 1 ? vector.getShape().front() : 0;
}

/// The lanes 0, 1, ... of which those from `length` on are `rest`.
SmallVector<int32_t> lanes(int64_t count, int64_t length, int32_t rest) {
  SmallVector<int32_t> found;
  for (int64_t lane = 0; lane < count; ++lane)
    found.push_back(lane < length ? lane : rest);
  return found;
}

Value shuffled(OpBuilder &builder, Location loc, Value first, Value second,
               ArrayRef<int32_t> chosen) {
  return LLVM::ShuffleVectorOp::create(builder, loc, first, second, chosen);
}

Value splat(OpBuilder &builder, Location loc, VectorType type, Attribute value) {
  return LLVM::ConstantOp::create(builder, loc, type,
                                  DenseElementsAttr::get(type, value));
}

/// Where the last eight begin.
Value lastPlace(OpBuilder &builder, Location loc, Value place, int64_t length) {
  return LLVM::GEPOp::create(builder, loc, place.getType(), builder.getBF16Type(),
                             place, ArrayRef<LLVM::GEPArg>{int32_t(length - kStep)});
}

void loadInParts(LLVM::LoadOp op, int64_t length) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Type element = builder.getBF16Type();
  int64_t wide = lanesOf(op.getResult().getType());
  auto part = [&](int64_t count, Value place, unsigned alignment) {
    Value read = LLVM::LoadOp::create(
        builder, loc, VectorType::get({count}, element), place, alignment,
        op.getVolatile_(), op.getNontemporal());
    return shuffled(builder, loc, read, read, lanes(wide, count, -1));
  };
  Value first = part(length - 1, op.getAddr(), op.getAlignment().value_or(0));
  Value last = part(kStep, lastPlace(builder, loc, op.getAddr(), length), kBytes);
  SmallVector<int32_t> both = lanes(wide, length - 1, -1);
  both[length - 1] = wide + kStep - 1;
  op.replaceAllUsesWith(shuffled(builder, loc, first, last, both));
  op.erase();
}

void storeInParts(LLVM::StoreOp op, int64_t length) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto part = [&](int64_t from, int64_t to, Value place, unsigned alignment) {
    Value value = op.getValue();
    SmallVector<int32_t> chosen = llvm::to_vector(llvm::seq<int32_t>(from, to));
    LLVM::StoreOp::create(builder, loc, shuffled(builder, loc, value, value, chosen),
                          place, alignment, op.getVolatile_(), op.getNontemporal());
  };
  part(0, length - 1, op.getAddr(), op.getAlignment().value_or(0));
  part(length - kStep, length, lastPlace(builder, loc, op.getAddr(), length), kBytes);
  op.erase();
}

LogicalResult widenConstant(LLVM::ConstantOp op) {
  auto held = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!held || !held.isSplat())
    return op.emitOpError("of bf16 has different elements");
  op.setValueAttr(DenseElementsAttr::get(padded(cast<VectorType>(held.getType())),
                                         held.getSplatValue<Attribute>()));
  return success();
}

/// Mends a shuffle of two vectors that had `first` lanes.
void renumber(LLVM::ShuffleVectorOp op, int64_t first) {
  int64_t more = lanesOf(op.getV1().getType()) - first;
  SmallVector<int32_t> mask;
  for (int32_t lane : op.getMask())
    mask.push_back(lane < first ? lane : lane + more);
  mask.resize(lanesOf(op.getResult().getType()), -1);
  op.setMask(mask);
}

void widenMask(OpOperand &mask, int64_t length) {
  OpBuilder builder(mask.getOwner());
  Location loc = mask.getOwner()->getLoc();
  auto type = cast<VectorType>(mask.get().getType());
  Value none = splat(builder, loc, type, builder.getBoolAttr(false));
  mask.set(shuffled(builder, loc, mask.get(), none,
                    lanes(length + kStep - 1, length, length)));
}

/// Gives the further lanes what changes no result of a reduction.
void fill(OpOperand &vector, int64_t length) {
  Operation *op = vector.getOwner();
  OpBuilder builder(op);
  Value value = vector.get(), other = value;
  int64_t wide = length + kStep - 1;
  int32_t rest = 0;
  auto neutral = [&](double number) {
    other = splat(builder, op->getLoc(), cast<VectorType>(value.getType()),
                  builder.getFloatAttr(builder.getBF16Type(), number));
    rest = wide;
  };
  if (isa<LLVM::vector_reduce_fadd>(op))
    neutral(-0.0);
  else if (isa<LLVM::vector_reduce_fmul>(op))
    neutral(1.0);
  vector.set(shuffled(builder, op->getLoc(), value, other,
                      lanes(wide, length, rest)));
}

/// Makes the other vectors of an op, which goes element by element, as long as
/// those of bf16 are now.
void resizeOthers(Operation *op, int64_t length) {
  OpBuilder builder(op);
  int64_t wide = length + kStep - 1;
  for (OpOperand &operand : op->getOpOperands())
    if (lanesOf(operand.get().getType()) == length)
      operand.set(shuffled(builder, op->getLoc(), operand.get(), operand.get(),
                           lanes(wide, length, -1)));
  builder.setInsertionPointAfter(op);
  for (OpResult result : op->getResults()) {
    if (lanesOf(result.getType()) != length)
      continue;
    Type element = cast<VectorType>(result.getType()).getElementType();
    result.setType(VectorType::get({wide}, element));
    Value cut = shuffled(builder, op->getLoc(), result, result,
                         lanes(length, length, -1));
    result.replaceAllUsesExcept(cut, cut.getDefiningOp());
  }
}

bool isReduction(Operation *op) {
  return isa<LLVM::vector_reduce_fadd, LLVM::vector_reduce_fmul,
             LLVM::vector_reduce_fmax, LLVM::vector_reduce_fmin,
             LLVM::vector_reduce_fmaximum, LLVM::vector_reduce_fminimum>(op);
}

bool staysAsItIs(Operation *op) {
  return isa<LLVM::BrOp, LLVM::CondBrOp, LLVM::SwitchOp, LLVM::InsertValueOp,
             LLVM::ExtractValueOp, LLVM::InsertElementOp, LLVM::ExtractElementOp,
             LLVM::PoisonOp, LLVM::UndefOp, LLVM::ZeroOp>(op);
}

LogicalResult mend(Operation *op, int64_t length, int64_t first) {
  if (auto load = dyn_cast<LLVM::LoadOp>(op))
    loadInParts(load, length);
  else if (auto store = dyn_cast<LLVM::StoreOp>(op))
    storeInParts(store, length);
  else if (auto constant = dyn_cast<LLVM::ConstantOp>(op))
    return widenConstant(constant);
  else if (auto shuffle = dyn_cast<LLVM::ShuffleVectorOp>(op))
    renumber(shuffle, first);
  else if (auto masked = dyn_cast<LLVM::MaskedLoadOp>(op))
    widenMask(masked.getMaskMutable(), length);
  else if (auto masked = dyn_cast<LLVM::MaskedStoreOp>(op))
    widenMask(masked.getMaskMutable(), length);
  else if (isReduction(op))
    fill(op->getOpOperand(op->getNumOperands() - 1), length);
  else if (!staysAsItIs(op))
    resizeOthers(op, length);
  return success();
}

struct Found {
  Operation *op;
  int64_t length, first;
};

struct PadBF16Vectors : public impl::PadBF16VectorsPassBase<PadBF16Vectors> {
  void runOnOperation() override {
    SmallVector<Found> found;
    llvm::SetVector<Value> values;
    getOperation().walk([&](Operation *op) {
      int64_t length = oddLength(op);
      if (!length)
        return;
      int64_t first = op->getNumOperands() ? lanesOf(op->getOperand(0).getType()) : 0;
      found.push_back({op, length, first});
      values.insert(op->result_begin(), op->result_end());
      for (Value argument : op->getBlock()->getArguments())
        values.insert(argument);
      for (Block *block : op->getSuccessors())
        for (Value argument : block->getArguments())
          values.insert(argument);
    });
    AttrTypeReplacer replacer;
    replacer.addReplacement([](VectorType type) -> std::optional<Type> {
      return oddLength(type) ? padded(type) : type;
    });
    for (Value value : values)
      value.setType(replacer.replace(value.getType()));
    for (Found each : found)
      if (failed(mend(each.op, each.length, each.first)))
        return signalPassFailure();
  }
};

} // namespace

} // namespace harl
