//===- DotProducts.cpp - The processor's dot products ---------------------===//
//
// As harl_mlir/codegen/dot_products.py does.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "DotVectors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_DOTPRODUCTSPASS
#include "harl/Passes.h.inc"

namespace {

constexpr int64_t kLanes = 16;
constexpr int8_t kBias = -128;

/// Lanes of the registers that hold so many: a power of two of a register's.
int64_t wholeOf(int64_t count) {
  int64_t lanes = kLanes;
  while (lanes < count)
    lanes *= 2;
  return lanes;
}

/// A vector of narrow numbers that are widened, and whether they are signed.
struct Factor {
  Value value;
  bool isSigned = true;

  VectorType type() const { return cast<VectorType>(value.getType()); }
};

/// An operand of a contraction before it was widened, and broadcast to all
/// lanes.
Factor factorOf(Value value) {
  Factor factor{value};
  for (bool widens : {true, false, true}) {
    Operation *op = factor.value.getDefiningOp();
    if (!op ||
        !(widens ? isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(op)
                 : isa<vector::BroadcastOp>(op)) ||
        !isa<VectorType>(op->getOperand(0).getType()))
      continue;
    // A sign that was extended is part of a larger unsigned number.
    if (isa<arith::ExtSIOp>(op) && !factor.isSigned)
      break;
    factor.isSigned = factor.isSigned && !isa<arith::ExtUIOp>(op);
    factor.value = op->getOperand(0);
  }
  return factor;
}

/// A contraction of the group that all lanes share with the groups of all
/// lanes.
struct Contract {
  vector::ContractionOp op;
  Factor shared, groups;

  Type element() const { return groups.type().getElementType(); }
  /// Whether 128 is added to the groups of all lanes.
  bool isBiased() const {
    return element().isInteger(8) && shared.isSigned && groups.isSigned;
  }
};

std::optional<Contract> contractOf(vector::ContractionOp op) {
  if (isa<vector::MaskOp>(op->getParentOp()))
    return std::nullopt;
  MLIRContext *context = op.getContext();
  AffineExpr lane = getAffineDimExpr(0, context);
  AffineExpr step = getAffineDimExpr(1, context);
  AffineMap one = AffineMap::get(2, 0, {step}, context);
  AffineMap all = AffineMap::get(2, 0, {lane, step}, context);
  AffineMap sums = AffineMap::get(2, 0, {lane}, context);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  auto isFactor = [&](AffineMap map) { return map == one || map == all; };
  auto result = dyn_cast<VectorType>(op.getResultType());
  if (op.getKind() != vector::CombiningKind::ADD || maps[2] != sums ||
      !isFactor(maps[0]) || !isFactor(maps[1]) || !result)
    return std::nullopt;
  Contract found{op, factorOf(op.getLhs()), factorOf(op.getRhs())};
  if (found.groups.type().getRank() < found.shared.type().getRank())
    std::swap(found.shared, found.groups);
  Type element = found.element();
  int64_t group = groupOf(element);
  Type wide = element.isBF16() ? Type(Float32Type::get(context))
                               : Type(IntegerType::get(context, 32));
  if (!group || result.getElementType() != wide ||
      found.shared.type() != VectorType::get({group}, element) ||
      found.groups.type() !=
          VectorType::get({result.getDimSize(0), group}, element) ||
      !(found.shared.isSigned || found.groups.isSigned))
    return std::nullopt;
  return found;
}

/// Carries sums through the loops around contractions in whole registers: LLVM
/// takes others apart.
void widenLoops(ArrayRef<Contract> found) {
  llvm::SetVector<scf::ForOp> loops;
  for (Contract contract : found)
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

/// The sums after some contractions, and what is to be taken away from each of
/// their lanes.
struct Run {
  Value sums, excess;
};

/// Puts the instructions in the place of contractions.
class Dots {
public:
  explicit Dots(MLIRContext *context) : builder(context) {}

  /// The sums after one more contraction.
  Run after(const Run &run, Contract contract) {
    place = contract.op.getLoc();
    builder.setInsertionPoint(contract.op);
    bool biased = contract.isBiased();
    int64_t group = groupOf(contract.element());
    int64_t count = contract.groups.type().getDimSize(0);
    int64_t whole = wholeOf(count);
    Value &factors = lanes[{contract.groups.value, biased ? 1u : 0u}];
    if (!factors)
      factors = inLanes(contract, whole);
    Value shared = broadcast(contract.shared.value, group);
    Value given = resized(builder, place, run.sums, whole), sums = given;
    for (int64_t first = 0; first < whole; first += kLanes) {
      Value vectors = lanesFrom(builder, place, factors, first * group,
                                kLanes * group);
      Value part = lanesFrom(builder, place, given, first, kLanes);
      // Unsigned numbers come first.
      Value made = contract.shared.isSigned ? dot(part, vectors, shared)
                                            : dot(part, shared, vectors);
      sums = putLanes(builder, place, made, sums, first);
    }
    Run next{resized(builder, place, sums, count), run.excess};
    if (!biased)
      return next;
    if (!next.excess)
      next.excess =
          splat(builder, place, VectorType::get({kLanes}, builder.getI32Type()), 0);
    Value bias = splat(builder, place, cast<VectorType>(shared.getType()), kBias);
    next.excess = dot(next.excess, bias, shared);
    return next;
  }

  Value finished(const Run &run, vector::ContractionOp op) {
    if (!run.excess)
      return run.sums;
    place = op.getLoc();
    builder.setInsertionPoint(op);
    int64_t count = cast<VectorType>(run.sums.getType()).getDimSize(0);
    int64_t whole = wholeOf(count);
    Value given = resized(builder, place, run.sums, whole), sums = given;
    for (int64_t first = 0; first < whole; first += kLanes) {
      Value part = lanesFrom(builder, place, given, first, kLanes);
      Value less = arith::SubIOp::create(builder, place, part, run.excess);
      sums = putLanes(builder, place, less, sums, first);
    }
    return resized(builder, place, sums, count);
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

  /// A group in every lane, moved about as one element of 32 bits.
  Value broadcast(Value group, int64_t count) {
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
  Value inLanes(Contract contract, int64_t whole) {
    OpBuilder::InsertionGuard guard(builder);
    Value value = contract.groups.value;
    VectorType type = contract.groups.type();
    builder.setInsertionPointAfterValue(value);
    int64_t group = type.getDimSize(1), count = type.getDimSize(0) * group;
    std::optional<Row> row;
    if (auto read = value.getDefiningOp<vector::TransferReadOp>())
      row = rowOf(builder, read);
    Value made;
    if (row) {
      made = loadRow(builder, place, *row, count, whole * group);
    } else {
      made = vector::ShapeCastOp::create(
          builder, place, VectorType::get({count}, type.getElementType()),
          value);
      made = resized(builder, place, made, whole * group);
    }
    if (contract.isBiased())
      made = arith::XOrIOp::create(
          builder, place, made,
          splat(builder, place, cast<VectorType>(made.getType()), kBias));
    return made;
  }

  OpBuilder builder;
  Location place = builder.getUnknownLoc();
  llvm::DenseMap<std::pair<Value, unsigned>, Value> lanes;
};

struct DotProducts : public impl::DotProductsPassBase<DotProducts> {
  using DotProductsPassBase::DotProductsPassBase;

  /// Those that the processor has an instruction for.
  SmallVector<Contract> contracts() {
    SmallVector<Contract> found;
    getOperation()->walk([&](vector::ContractionOp op) {
      std::optional<Contract> contract = contractOf(op);
      if (contract && (contract->element().isBF16() ? bf16 : i8))
        found.push_back(*contract);
    });
    return found;
  }

  void runOnOperation() override {
    if (contracts().empty())
      return;
    copyGroups(getOperation());
    // Only now: their operands may be others.
    SmallVector<Contract> found = contracts();
    widenLoops(found);
    Dots dots(&getContext());
    llvm::DenseMap<Value, Run> runs;
    for (Contract contract : found) {
      Value before = contract.op.getAcc();
      Run run{before, {}};
      auto known = runs.find(before);
      if (known != runs.end() && before.hasOneUse()) {
        run = known->second;
        runs.erase(known);
      }
      Run next = dots.after(run, contract);
      runs[contract.op.getResult()] = next;
    }
    for (Contract contract : llvm::reverse(found)) {
      auto run = runs.find(contract.op.getResult());
      if (run != runs.end())
        contract.op.getResult().replaceAllUsesWith(
            dots.finished(run->second, contract.op));
      contract.op->erase();
    }
  }
};

} // namespace

} // namespace harl
