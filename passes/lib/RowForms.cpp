//===- RowForms.cpp - One spelling of row operations ----------------------===//

#include "RowForms.h"
#include "WideSums.h"
#include "UnitDims.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

static SmallVector<Operation *> topLevel(func::FuncOp function) {
  return llvm::map_to_vector(function.getBody().front().getOperations(),
                             [](Operation &op) { return &op; });
}

static bool isUnused(Operation *op) {
  return (isReshape(op) || isa<linalg::FillOp, tensor::EmptyOp>(op)) &&
         op->use_empty();
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

static void collectNeeded(ValueRange values, llvm::DenseSet<Value> &found) {
  SmallVector<Value> stack(values);
  while (!stack.empty()) {
    Value value = stack.pop_back_val();
    if (!found.insert(value).second)
      continue;
    if (Operation *owner = value.getDefiningOp())
      stack.append(owner->operand_begin(), owner->operand_end());
  }
}

/// Of which results there are uses, or of which the others' need the init;
/// `needed` is what they are computed from.
static SmallVector<bool> liveResults(linalg::GenericOp op,
                                     llvm::DenseSet<Value> &needed) {
  SmallVector<bool> live = llvm::map_to_vector(
      op->getResults(), [](Value result) { return !result.use_empty(); });
  OperandRange yielded = op.getBody()->getTerminator()->getOperands();
  ArrayRef<BlockArgument> inits = op.getRegionOutputArgs();
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [isLive, value] : llvm::zip_equal(live, yielded))
      if (isLive)
        collectNeeded(value, needed);
    for (auto [isLive, init] : llvm::zip_equal(live, inits))
      if (!isLive && needed.contains(init))
        isLive = changed = true;
  }
  return live;
}

/// The elements of `range` that belong to live results.
template <typename Range>
static auto onlyLive(Range &&range, ArrayRef<bool> live) {
  SmallVector<std::decay_t<decltype(*std::begin(range))>> kept;
  for (auto [element, isLive] : llvm::zip_equal(range, live))
    if (isLive)
      kept.push_back(element);
  return kept;
}

/// Leaves out the results that nothing uses, and what only they need.
static linalg::GenericOp dropDeadResults(linalg::GenericOp op) {
  Block *body = op.getBody();
  bool isPure = llvm::all_of(*body, [](Operation &inner) {
    StringRef dialect = inner.getName().getDialectNamespace();
    return dialect == "arith" || dialect == "math" || dialect == "linalg";
  });
  if (op->getNumResults() < 2 || op->use_empty() || !isPure)
    return op;
  llvm::DenseSet<Value> needed;
  SmallVector<bool> live = liveResults(op, needed);
  if (llvm::all_of(live, llvm::identity()))
    return op;

  ArrayRef<BlockArgument> inputs = op.getRegionInputArgs();
  SmallVector<AffineMap> oldMaps = op.getIndexingMapsArray();
  SmallVector<AffineMap> maps(oldMaps.begin(), oldMaps.begin() + inputs.size());
  llvm::append_range(
      maps, onlyLive(ArrayRef(oldMaps).drop_front(inputs.size()), live));
  // What is left out may be all that tells the extent of a loop.
  if (!inversePermutation(concatAffineMaps(maps, op.getContext())))
    return op;
  SmallVector<Value> outputs = onlyLive(op.getOutputs(), live);
  OpBuilder builder(op);
  auto made = linalg::GenericOp::create(
      builder, op.getLoc(), ValueRange(outputs).getTypes(), op.getInputs(),
      outputs, maps, op.getIteratorTypesArray(),
      [&](OpBuilder &inside, Location place, ValueRange arguments) {
        IRMapping values;
        values.map(inputs, arguments.take_front(inputs.size()));
        values.map(onlyLive(op.getRegionOutputArgs(), live),
                   arguments.drop_front(inputs.size()));
        for (Operation &inner : body->without_terminator())
          if (llvm::any_of(inner.getResults(), [&](Value value) {
                return needed.contains(value);
              }))
            inside.clone(inner, values);
        SmallVector<Value> ends;
        for (Value value : onlyLive(body->getTerminator()->getOperands(), live))
          ends.push_back(values.lookupOrDefault(value));
        linalg::YieldOp::create(inside, place, ends);
      });
  for (auto [old, result] :
       llvm::zip_equal(onlyLive(op->getResults(), live), made->getResults()))
    Value(old).replaceAllUsesWith(result);
  op.erase();
  return made;
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

/// `fpowi` and `ipowi` by 2, 3 or 4 are squares and products, as LLVM computes
/// the one.
static void multiplyPowers(linalg::GenericOp op) {
  for (Operation &power : llvm::make_early_inc_range(*op.getBody())) {
    APInt exponent;
    if (!isa<math::FPowIOp, math::IPowIOp>(power) ||
        !matchPattern(power.getOperand(1), m_ConstantInt(&exponent)) ||
        exponent.slt(2) || exponent.sgt(4))
      continue;
    OpBuilder builder(&power);
    auto multiply = [&](Value left, Value right) -> Value {
      if (auto real = dyn_cast<math::FPowIOp>(power))
        return arith::MulFOp::create(builder, power.getLoc(), left, right,
                                     real.getFastmath());
      return arith::MulIOp::create(builder, power.getLoc(), left, right);
    };
    Value square = power.getOperand(0), product;
    for (int64_t left = exponent.getSExtValue();; square = multiply(square, square)) {
      if (left % 2)
        product = product ? multiply(product, square) : square;
      left /= 2;
      if (left == 0)
        break;
    }
    power.getResult(0).replaceAllUsesWith(product);
    power.erase();
  }
}

void normaliseRows(func::FuncOp function, bool strict) {
  if (!strict)
    widenSums(function);
  if (!function.getBody().hasOneBlock())
    return;
  llvm::DenseSet<Operation *> unused;
  for (Operation *op : topLevel(function))
    if (isUnused(op))
      unused.insert(op);
  for (Operation *op : topLevel(function)) {
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      dropUnits(dropDeadResults(generic));
    else if (isReshape(op))
      foldReshapes(op);
  }
  for (Operation *op : topLevel(function))
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      multiplyPowers(generic);
      splitArgMax(generic, strict);
    }
  auto eraseUnused = [&] {
    SmallVector<Operation *> ops = topLevel(function);
    for (Operation *op : llvm::reverse(ops))
      if (isUnused(op) && (isReshape(op) || !unused.contains(op)))
        op->erase();
  };
  // Unused reshapes would be further uses of what is fused.
  eraseUnused();
  fuseRows(function);
  eraseUnused();
}

} // namespace harl
