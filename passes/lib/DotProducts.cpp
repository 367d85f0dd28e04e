//===- DotProducts.cpp - The processor's dot products ---------------------===//
//
// As harl_mlir/codegen/dot_products.py does.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "DotVectors.h"
#include "GroupContracts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_DOTPRODUCTSPASS
#include "harl/Passes.h.inc"

namespace {

constexpr int64_t kLanes = 16;

/// Lanes of the registers that hold so many: a power of two of a register's.
int64_t wholeOf(int64_t count) {
  int64_t lanes = kLanes;
  while (lanes < count)
    lanes *= 2;
  return lanes;
}

/// Carries sums through the loops around contractions in whole registers: LLVM
/// takes others apart.
void widenLoops(ArrayRef<GroupContract> found) {
  llvm::SetVector<scf::ForOp> loops;
  for (GroupContract contract : found)
    for (auto loop = contract.op->getParentOfType<scf::ForOp>(); loop;
         loop = loop->getParentOfType<scf::ForOp>())
      loops.insert(loop);
  for (scf::ForOp loop : loops) {
    Operation *last = loop.getBody()->getTerminator();
    for (auto [number, result] : llvm::enumerate(loop.getResults())) {
      auto type = dyn_cast<VectorType>(result.getType());
      if (!type || type.getRank() != 1 ||
          !(type.getElementType().isF32() ||
            type.getElementType().isInteger(32)))
        continue;
      int64_t count = type.getDimSize(0), whole = wholeOf(count);
      if (whole == count)
        continue;
      Location place = loop.getLoc();
      OpBuilder builder(loop);
      OpOperand &init = loop.getInitArgsMutable()[number];
      init.set(resized(builder, place, init.get(), whole));
      builder.setInsertionPoint(last);
      last->setOperand(
          number, resized(builder, place, last->getOperand(number), whole));
      auto narrow = [&](Value value) {
        value.setType(VectorType::get({whole}, type.getElementType()));
        Value part = resized(builder, place, value, count);
        value.replaceAllUsesExcept(part, part.getDefiningOp());
      };
      builder.setInsertionPointToStart(loop.getBody());
      narrow(loop.getRegionIterArgs()[number]);
      builder.setInsertionPointAfter(loop);
      narrow(result);
    }
  }
}

/// Puts the instructions in the place of contractions.
class Dots {
public:
  explicit Dots(MLIRContext *context) : builder(context) {}

  void replace(GroupContract contract) {
    place = contract.op.getLoc();
    builder.setInsertionPoint(contract.op);
    int64_t group = groupOf(contract.element());
    int64_t count = contract.groups.type().getDimSize(0);
    int64_t whole = wholeOf(count);
    Value &factors = lanes[contract.groups.value];
    if (!factors)
      factors = inLanes(contract.groups, whole);
    Value shared = broadcast(contract.shared.value, group);
    Value given = resized(builder, place, contract.op.getAcc(), whole);
    Value sums = given;
    for (int64_t first = 0; first < whole; first += kLanes) {
      Value vectors = lanesFrom(builder, place, factors, first * group,
                                kLanes * group);
      Value part = lanesFrom(builder, place, given, first, kLanes);
      // Unsigned numbers come first.
      Value made = contract.shared.isSigned ? dot(part, vectors, shared)
                                            : dot(part, shared, vectors);
      sums = putLanes(builder, place, made, sums, first);
    }
    contract.op.getResult().replaceAllUsesWith(
        resized(builder, place, sums, count));
    contract.op->erase();
  }

private:
  Value dot(Value sums, Value first, Value second) {
    StringRef name = isa<FloatType>(getElementTypeOrSelf(sums.getType()))
                         ? "llvm.x86.avx512bf16.dpbf16ps.512"
                         : "llvm.x86.avx512.vpdpbusd.512";
    return LLVM::CallIntrinsicOp::create(builder, place, sums.getType(),
                                         builder.getStringAttr(name),
                                         ValueRange{sums, first, second})
        .getResults();
  }

  /// A group in every lane, moved about as one element of 32 bits. What is
  /// done to each of its numbers is done in the lanes: one instruction reads,
  /// broadcasts and does it.
  Value broadcast(Value group, int64_t count) {
    DenseElementsAttr mask;
    auto flipped = group.getDefiningOp<arith::XOrIOp>();
    if (flipped && matchPattern(flipped.getRhs(), m_Constant(&mask)) &&
        mask.isSplat()) {
      Value wide = broadcast(flipped.getLhs(), count);
      Value number =
          splat(builder, place, cast<VectorType>(wide.getType()),
                mask.getSplatValue<APInt>().getSExtValue());
      return arith::XOrIOp::create(builder, place, wide, number);
    }
    Type single = builder.getF32Type();
    Type element = getElementTypeOrSelf(group.getType());
    Value one = vector::BitCastOp::create(
        builder, place, VectorType::get({1}, single), group);
    one = vector::ExtractOp::create(builder, place, one, 0);
    Value wide = vector::BroadcastOp::create(
        builder, place, VectorType::get({kLanes}, single), one);
    return vector::BitCastOp::create(
        builder, place, VectorType::get({count * kLanes}, element), wide);
  }

  /// The groups of all lanes in one row of `whole` lanes, read as such where
  /// they lie so in memory.
  Value inLanes(Factor groups, int64_t whole) {
    OpBuilder::InsertionGuard guard(builder);
    Value value = groups.value;
    VectorType type = groups.type();
    builder.setInsertionPointAfterValue(value);
    int64_t group = type.getDimSize(1), count = type.getDimSize(0) * group;
    if (auto read = value.getDefiningOp<vector::TransferReadOp>())
      if (std::optional<Row> row = rowOf(builder, read))
        return loadRow(builder, place, *row, count, whole * group);
    Value flat = vector::ShapeCastOp::create(
        builder, place, VectorType::get({count}, type.getElementType()), value);
    return resized(builder, place, flat, whole * group);
  }

  OpBuilder builder;
  Location place = builder.getUnknownLoc();
  llvm::DenseMap<Value, Value> lanes;
};

struct DotProducts : public impl::DotProductsPassBase<DotProducts> {
  using DotProductsPassBase::DotProductsPassBase;

  void runOnOperation() override {
    auto wanted = [&](Type element) { return element.isBF16() ? bool(bf16) : bool(i8); };
    if (groupContracts(getOperation(), wanted).empty())
      return;
    copyGroups(getOperation());
    if (i8)
      unsignGroups(getOperation());
    // Only now: their operands may be others.
    SmallVector<GroupContract> found = groupContracts(getOperation(), wanted);
    llvm::erase_if(found, [](GroupContract each) { return each.isSigned(); });
    widenLoops(found);
    Dots dots(&getContext());
    for (GroupContract contract : found)
      dots.replace(contract);
  }
};

} // namespace

} // namespace harl
