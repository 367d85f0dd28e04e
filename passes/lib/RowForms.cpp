//===- RowForms.cpp - One spelling of row operations ----------------------===//

#include "RowForms.h"

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

static bool isReshape(Operation *op) {
  return isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
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

/// Leaves out the results that nothing uses, and what only they need.
static linalg::GenericOp dropDeadResults(linalg::GenericOp op) {
  unsigned count = op->getNumResults();
  SmallVector<bool> live = llvm::map_to_vector(
      op->getResults(), [](Value result) { return !result.use_empty(); });
  Block *body = op.getBody();
  bool isPure = llvm::all_of(*body, [](Operation &inner) {
    StringRef dialect = inner.getName().getDialectNamespace();
    return dialect == "arith" || dialect == "math" || dialect == "linalg";
  });
  if (count < 2 || llvm::none_of(live, llvm::identity()) || !isPure)
    return op;
  OperandRange yielded = body->getTerminator()->getOperands();
  ArrayRef<BlockArgument> inits = body->getArguments().take_back(count);
  llvm::DenseSet<Value> needed;
  for (bool changed = true; changed;) {
    changed = false;
    for (unsigned i = 0; i < count; ++i)
      if (live[i])
        collectNeeded(yielded[i], needed);
    for (unsigned i = 0; i < count; ++i)
      if (!live[i] && needed.contains(inits[i]))
        live[i] = changed = true;
  }
  if (llvm::all_of(live, llvm::identity()))
    return op;

  SmallVector<AffineMap> oldMaps = op.getIndexingMapsArray();
  unsigned inputs = op.getNumDpsInputs();
  SmallVector<AffineMap> maps(oldMaps.begin(), oldMaps.begin() + inputs);
  SmallVector<Value> outputs;
  for (unsigned i = 0; i < count; ++i)
    if (live[i]) {
      outputs.push_back(op.getOutputs()[i]);
      maps.push_back(oldMaps[inputs + i]);
    }
  // What is left out may be all that tells the extent of a loop.
  if (!inversePermutation(concatAffineMaps(maps, op.getContext())))
    return op;
  OpBuilder builder(op);
  auto made = linalg::GenericOp::create(
      builder, op.getLoc(), ValueRange(outputs).getTypes(), op.getInputs(),
      outputs, maps, op.getIteratorTypesArray(),
      [&](OpBuilder &inside, Location place, ValueRange arguments) {
        IRMapping values;
        for (unsigned i = 0; i < inputs; ++i)
          values.map(body->getArgument(i), arguments[i]);
        unsigned next = inputs;
        for (unsigned i = 0; i < count; ++i)
          if (live[i])
            values.map(inits[i], arguments[next++]);
        for (Operation &inner : body->without_terminator())
          if (llvm::any_of(inner.getResults(), [&](Value value) {
                return needed.contains(value);
              }))
            inside.clone(inner, values);
        SmallVector<Value> ends;
        for (unsigned i = 0; i < count; ++i)
          if (live[i])
            ends.push_back(values.lookupOrDefault(yielded[i]));
        linalg::YieldOp::create(inside, place, ends);
      });
  unsigned next = 0;
  for (unsigned i = 0; i < count; ++i)
    if (live[i])
      op->getResult(i).replaceAllUsesWith(made->getResult(next++));
  op.erase();
  return made;
}

//===----------------------------------------------------------------------===//
// Dimensions of size one
//===----------------------------------------------------------------------===//

/// Whether a reshape only puts in dimensions of size one.
static bool putsInUnits(tensor::ExpandShapeOp expanded) {
  auto several = [](Value value) {
    SmallVector<int64_t> sizes(cast<ShapedType>(value.getType()).getShape());
    llvm::erase(sizes, 1);
    return sizes;
  };
  return several(expanded.getSrc()) == several(expanded.getResult());
}

/// Loops of one step along a dimension that was put into an input.
static llvm::SmallDenseSet<unsigned> unitLoops(linalg::GenericOp op,
                                               ArrayRef<AffineMap> maps) {
  bool plain = llvm::all_of(maps, [](AffineMap map) {
    return llvm::all_of(map.getResults(),
                        llvm::IsaPred<AffineDimExpr, AffineConstantExpr>);
  });
  if (!plain || op.hasIndexSemantics())
    return {};
  llvm::SmallDenseSet<unsigned> found;
  for (auto [value, map] : llvm::zip(op.getInputs(), maps)) {
    auto expanded = value.getDefiningOp<tensor::ExpandShapeOp>();
    if (!expanded || !putsInUnits(expanded))
      continue;
    for (auto [size, row] :
         llvm::zip_equal(expanded.getType().getShape(), map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(row); dim && size == 1)
        found.insert(dim.getPosition());
  }
  return found;
}

/// The reassociation that leaves `dims` of `rank` dimensions; those of size one
/// go to the dimension before them.
static SmallVector<ReassociationIndices> groupsOf(int64_t rank,
                                                  ArrayRef<int64_t> dims) {
  SmallVector<ReassociationIndices> groups(dims.size());
  for (int64_t p = 0; p < rank && !dims.empty(); ++p) {
    int64_t before = llvm::count_if(dims, [&](int64_t d) { return d <= p; });
    groups[std::max<int64_t>(before - 1, 0)].push_back(p);
  }
  return groups;
}

/// What has this type among `value` and what it was reshaped from: the same
/// numbers in the same order.
static Value reshapedFrom(Value value, Type type) {
  // Types of dynamic sizes do not tell which these are.
  if (!cast<ShapedType>(type).hasStaticShape())
    return {};
  while (value && value.getType() != type) {
    Operation *owner = value.getDefiningOp();
    value = isReshape(owner) ? owner->getOperand(0) : Value();
  }
  return value;
}

/// `value` with the dimensions `dims` only; the others are of size one.
static Value narrowed(OpBuilder &builder, Location place, Value value,
                      ArrayRef<int64_t> dims, bool isInit) {
  auto old = cast<RankedTensorType>(value.getType());
  auto sizes = llvm::map_to_vector(
      dims, [&](int64_t d) { return old.getDimSize(d); });
  auto type = RankedTensorType::get(sizes, old.getElementType());
  if (Value same = reshapedFrom(value, type))
    return same;
  auto empty = [&] {
    return tensor::EmptyOp::create(builder, place, sizes, old.getElementType());
  };
  if (value.getDefiningOp<tensor::EmptyOp>())
    return empty();
  auto fill = value.getDefiningOp<linalg::FillOp>();
  if (isInit && fill && fill.output().getDefiningOp<tensor::EmptyOp>())
    return linalg::FillOp::create(builder, place, fill.value(),
                                  empty().getResult())
        .getResult(0);
  return tensor::CollapseShapeOp::create(builder, place, type, value,
                                         groupsOf(old.getRank(), dims));
}

static Value expanded(OpBuilder &builder, Location place, Value value,
                      RankedTensorType type) {
  ArrayRef<int64_t> inner = cast<RankedTensorType>(value.getType()).getShape();
  SmallVector<int64_t> places;
  for (auto [p, size] : llvm::enumerate(type.getShape()))
    if (places.size() < inner.size() && size == inner[places.size()])
      places.push_back(p);
  return tensor::ExpandShapeOp::create(builder, place, type, value,
                                       groupsOf(type.getRank(), places));
}

/// Drops dimensions of size one that no loop goes along, and loops of one step
/// over what had one put in.
static void dropUnits(linalg::GenericOp op) {
  bool isStatic = llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return !shaped || (isa<RankedTensorType>(type) && shaped.hasStaticShape());
  });
  if (op->getNumResults() != 1 || !isStatic)
    return;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  unsigned reducing =
      llvm::count(kinds, utils::IteratorType::reduction);
  // Of the others only reductions of the last loop can be row operations.
  if (reducing > 1 ||
      (reducing == 1 && kinds.back() != utils::IteratorType::reduction))
    return;
  llvm::SmallDenseSet<unsigned> dropped;
  if (reducing == 0)
    dropped = unitLoops(op, maps);
  if (dropped.size() == kinds.size())
    return;

  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> replaced;
  SmallVector<utils::IteratorType> keptKinds;
  for (auto [d, kind] : llvm::enumerate(kinds)) {
    bool stays = !dropped.contains(d);
    replaced.push_back(stays
                           ? getAffineDimExpr(keptKinds.size(), context)
                           : getAffineConstantExpr(0, context));
    if (stays)
      keptKinds.push_back(kind);
  }
  SmallVector<SmallVector<int64_t>> kept;
  bool changes = !dropped.empty();
  for (auto [value, map] : llvm::zip_equal(op->getOperands(), maps)) {
    SmallVector<int64_t> &dims = kept.emplace_back();
    for (auto [p, row] : llvm::enumerate(map.getResults())) {
      auto constant = dyn_cast<AffineConstantExpr>(row);
      auto dim = dyn_cast<AffineDimExpr>(row);
      bool isUnit =
          constant ? constant.getValue() == 0 &&
                         cast<ShapedType>(value.getType()).getDimSize(p) == 1
                   : dim && dropped.contains(dim.getPosition());
      if (!isUnit)
        dims.push_back(p);
    }
    changes |= dims.size() != map.getNumResults();
  }
  if (!changes)
    return;

  OpBuilder builder(op);
  SmallVector<Value> operands;
  SmallVector<AffineMap> newMaps;
  for (auto [number, value] : llvm::enumerate(op->getOperands())) {
    AffineMap map = maps[number];
    ArrayRef<int64_t> dims = kept[number];
    auto rows = llvm::map_to_vector(dims, [&](int64_t p) {
      return map.getResult(p).replaceDims(replaced);
    });
    newMaps.push_back(AffineMap::get(keptKinds.size(), 0, rows, context));
    bool isWhole = dims.size() == map.getNumResults();
    bool isInit = number + 1 == op->getNumOperands();
    operands.push_back(
        isWhole ? value : narrowed(builder, op.getLoc(), value, dims, isInit));
  }
  Block *body = op.getBody();
  auto made = linalg::GenericOp::create(
      builder, op.getLoc(), TypeRange(operands.back().getType()),
      ValueRange(operands).drop_back(), operands.back(), newMaps, keptKinds,
      [&](OpBuilder &inside, Location place, ValueRange arguments) {
        IRMapping values;
        values.map(body->getArguments(), arguments);
        for (Operation &inner : *body)
          inside.clone(inner, values);
      });
  Value result = made->getResult(0);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (result.getType() != type)
    result = expanded(builder, op.getLoc(), result, type);
  op->getResult(0).replaceAllUsesWith(result);
  op.erase();
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

/// `fpowi` by 2, 3 or 4 is squares and products, as LLVM computes it.
static void multiplyPowers(linalg::GenericOp op) {
  for (auto power :
       llvm::make_early_inc_range(op.getBody()->getOps<math::FPowIOp>())) {
    APInt exponent;
    if (!matchPattern(power.getRhs(), m_ConstantInt(&exponent)) ||
        exponent.slt(2) || exponent.sgt(4))
      continue;
    OpBuilder builder(power);
    auto multiply = [&](Value left, Value right) -> Value {
      return arith::MulFOp::create(builder, power.getLoc(), left, right,
                                   power.getFastmath());
    };
    Value square = power.getLhs(), product;
    for (int64_t left = exponent.getSExtValue();; square = multiply(square, square)) {
      if (left % 2)
        product = product ? multiply(product, square) : square;
      left /= 2;
      if (left == 0)
        break;
    }
    power.getResult().replaceAllUsesWith(product);
    power.erase();
  }
}

void normaliseRows(func::FuncOp function, bool strict) {
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
      if (Value same = reshapedFrom(op->getOperand(0), op->getResult(0).getType()))
        op->getResult(0).replaceAllUsesWith(same);
  }
  for (Operation *op : topLevel(function))
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      multiplyPowers(generic);
      if (!strict)
        splitArgMax(generic);
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
