//===- UnsignedGroups.cpp - Groups of signed numbers made unsigned --------===//
//
// As harl_mlir/codegen/unsigned_groups.py does.
//
//===----------------------------------------------------------------------===//

#include "BufferViews.h"
#include "DotVectors.h"
#include "GroupContracts.h"
#include "SumSteps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"

#include <map>

using namespace mlir;

namespace harl {

namespace {

/// What is added, as signed and as unsigned numbers.
constexpr int8_t kBias = -128;

/// What tells steps from others with regard to what is summed up.
void name(const Steps &steps, std::vector<void *> &names) {
  for (Step step : steps) {
    if (!step.loop) {
      names.push_back(step.contract.groups.value.getAsOpaquePointer());
      continue;
    }
    names.push_back(step.loop.getOperation());
    name(step.steps, names);
    names.push_back(nullptr);
  }
}

//===----------------------------------------------------------------------===//
// Where it is summed up.
//===----------------------------------------------------------------------===//

bool isBefore(Value value, Operation *place) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner()->findAncestorOpInBlock(*place);
  Operation *op = value.getDefiningOp();
  Operation *around = op->getBlock()->findAncestorOpInBlock(*place);
  return around && op->isBeforeInBlock(around);
}

bool reads(Operation *op) {
  return isa<vector::TransferReadOp, vector::LoadOp, memref::LoadOp>(op);
}

bool writes(Operation *op) {
  return isa<vector::TransferWriteOp, vector::StoreOp, vector::MaskedStoreOp,
             memref::StoreOp, memref::CopyOp, linalg::LinalgOp>(op);
}

bool computes(Operation *op) {
  return isa<affine::AffineApplyOp, affine::AffineMaxOp, affine::AffineMinOp,
             ub::PoisonOp, vector::ExtractOp, vector::ExtractStridedSliceOp,
             vector::ShapeCastOp>(op) ||
         isa<arith::ArithDialect>(op->getDialect()) ||
         (op->getNumResults() == 1 && viewed(op->getResult(0)));
}

/// Whether a buffer of its own is written nowhere from `place` to the end of
/// its block.
bool isUnchanged(Value buffer, Operation *place) {
  if (auto argument = dyn_cast<BlockArgument>(buffer)) {
    if (!isa<func::FuncOp>(argument.getOwner()->getParentOp()))
      return false;
  } else if (!isa<memref::AllocOp, memref::AllocaOp>(buffer.getDefiningOp())) {
    return false;
  }
  SmallVector<Value> seen{buffer};
  for (size_t number = 0; number < seen.size(); ++number) {
    for (Operation *user : seen[number].getUsers()) {
      if (user->getNumResults() == 1 && viewed(user->getResult(0))) {
        seen.push_back(user->getResult(0));
      } else if (writes(user)) {
        Operation *around = place->getBlock()->findAncestorOpInBlock(*user);
        if (around && !around->isBeforeInBlock(place))
          return false;
      } else if (!reads(user) && !isa<memref::DeallocOp>(user)) {
        return false;
      }
    }
  }
  return true;
}

/// Whether a value is the same in front of `place`, or can be computed there.
bool canBeHad(Value value, Operation *place,
              const llvm::DenseSet<Value> &counted) {
  if (counted.contains(value) || isBefore(value, place))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (reads(op)) {
    if (!isUnchanged(rootOf(op->getOperand(0)), place))
      return false;
  } else if (!computes(op)) {
    return false;
  }
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return canBeHad(operand, place, counted);
  });
}

/// Whether a loop is known to have a step.
bool isRun(scf::ForOp loop) {
  std::optional<int64_t> first = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> end = getConstantIntValue(loop.getUpperBound());
  return first && end && *first < *end;
}

/// The op to sum up in front of; null where that cannot be done.
Operation *placeOf(Steps &steps) {
  llvm::DenseSet<Value> counted;
  SmallVector<Value> needed;
  for (GroupContract contract : contractsOf(steps))
    needed.push_back(contract.groups.value);
  for (scf::ForOp loop : loopsOf(steps)) {
    counted.insert(loop.getInductionVar());
    llvm::append_range(
        needed, loop->getOperands().take_front(loop.getNumControlOperands()));
  }
  auto canBeAt = [&](Operation *place) {
    return llvm::all_of(needed, [&](Value value) {
      return canBeHad(value, place, counted);
    });
  };
  Operation *place = steps.front().op();
  if (!canBeAt(place))
    return nullptr;
  while (true) {
    auto around = dyn_cast<scf::ForOp>(place->getParentOp());
    if (!around || !isRun(around) || !canBeAt(around))
      return place;
    place = around;
  }
}

//===----------------------------------------------------------------------===//
// Summing up.
//===----------------------------------------------------------------------===//

/// Makes `op`, a contraction like `contract`, one of these factors, the first
/// of them unsigned.
void put(OpBuilder &builder, Operation *op, GroupContract contract,
         Value shared, Value groups) {
  Location place = op->getLoc();
  auto put = [&](const Factor &factor, Value value, bool isSigned) {
    OpOperand &operand = op->getOpOperand(factor.operand);
    Type wide = builder.getI32Type();
    auto shape = cast<VectorType>(value.getType()).getShape();
    auto type = VectorType::get(shape, wide);
    Value widened =
        isSigned ? Value(arith::ExtSIOp::create(builder, place, type, value))
                 : Value(arith::ExtUIOp::create(builder, place, type, value));
    auto whole = cast<VectorType>(operand.get().getType()).getShape();
    if (whole != shape)
      widened = vector::BroadcastOp::create(
          builder, place, VectorType::get(whole, wide), widened);
    operand.set(widened);
  };
  put(contract.shared, shared, false);
  put(contract.groups, groups, true);
}

void makeUnsigned(GroupContract contract) {
  OpBuilder builder(contract.op);
  Value shared = contract.shared.value;
  Location place = contract.op.getLoc();
  Value bias = splat(builder, place, contract.shared.type(), kBias);
  Value biased = arith::XOrIOp::create(builder, place, shared, bias);
  put(builder, contract.op, contract, biased, contract.groups.value);
}

/// A value, or what computes it anew at the builder's place.
Value had(OpBuilder &builder, Value value, IRMapping &known,
          Operation *place) {
  if (known.contains(value))
    return known.lookup(value);
  if (isBefore(value, place))
    return value;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    if (!isBefore(operand, place))
      known.map(operand, had(builder, operand, known, place));
  builder.clone(*op, known);
  return known.lookup(value);
}

/// `total` with what the bias adds in `steps`; `known` has the values made for
/// those of the steps.
Value summed(OpBuilder &builder, const Steps &steps, Value total,
             IRMapping &known, Operation *place) {
  for (Step step : steps) {
    if (!step.loop) {
      GroupContract contract = step.contract;
      Value groups = had(builder, contract.groups.value, known, place);
      Value shared = splat(builder, contract.op.getLoc(),
                           contract.shared.type(), kBias);
      auto op = cast<vector::ContractionOp>(
          contract.op->cloneWithoutRegions());
      put(builder, op, contract, shared, groups);
      op.getAccMutable().assign(total);
      builder.insert(op);
      total = op.getResult();
      continue;
    }
    scf::ForOp loop = step.loop;
    Value bounds[3];
    for (unsigned number = 0; number < 3; ++number)
      bounds[number] = had(builder, loop->getOperand(number), known, place);
    auto made = scf::ForOp::create(builder, loop.getLoc(), bounds[0], bounds[1],
                                   bounds[2], total);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(made.getBody());
    IRMapping inside(known);
    inside.map(loop.getInductionVar(), made.getInductionVar());
    Value left = summed(builder, step.steps, made.getRegionIterArg(0), inside,
                        place);
    scf::YieldOp::create(builder, loop.getLoc(), left);
    total = made.getResult(0);
  }
  return total;
}

} // namespace

void unsignGroups(Operation *root) {
  Found found;
  for (GroupContract contract :
       groupContracts(root, [](Type element) { return element.isInteger(8); }))
    if (contract.isSigned())
      found.insert({contract.op.getResult(), contract});
  llvm::DenseSet<Value> done;
  std::map<std::vector<void *>, Value> sums;
  for (auto &[result, contract] : found) {
    if (done.contains(result))
      continue;
    Way way = wayTo(endOf(result, found), found);
    SmallVector<GroupContract> members = contractsOf(way.steps);
    for (GroupContract member : members)
      done.insert(member.op.getResult());
    Operation *place = placeOf(way.steps);
    if (!place)
      continue;
    std::vector<void *> names{place};
    name(way.steps, names);
    Value &total = sums[names];
    if (!total) {
      OpBuilder builder(place);
      IRMapping known;
      auto type = cast<VectorType>(result.getType());
      Value zero = splat(builder, contract.op.getLoc(), type, 0);
      total = summed(builder, way.steps, zero, known, place);
    }
    Step &first = way.steps.front();
    OpBuilder builder(first.op());
    Value begun = arith::SubIOp::create(builder, first.op()->getLoc(),
                                        way.start, total);
    if (first.loop)
      first.loop.getInitArgsMutable()[first.number].set(begun);
    else
      first.contract.op.getAccMutable().assign(begun);
    for (GroupContract member : members)
      makeUnsigned(member);
  }
}

} // namespace harl
