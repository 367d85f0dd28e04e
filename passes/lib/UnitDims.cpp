//===- UnitDims.cpp - Dimensions of size one ------------------------------===//

#include "UnitDims.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"

#include <optional>

using namespace mlir;

namespace harl {

bool isReshape(Operation *op) {
  return isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
}

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

/// What is left of a generic: loops, and for each operand its dimensions.
struct Kept {
  SmallVector<unsigned> loops;
  SmallVector<SmallVector<int64_t>> dims;
};

static bool isUnit(RankedTensorType type, int64_t position, AffineExpr row,
                   const llvm::SmallDenseSet<unsigned> &dropped) {
  if (auto constant = dyn_cast<AffineConstantExpr>(row))
    return constant.getValue() == 0 && type.getDimSize(position) == 1;
  auto dim = dyn_cast<AffineDimExpr>(row);
  return dim && dropped.contains(dim.getPosition());
}

/// What is kept of a generic, if there is anything to drop.
static std::optional<Kept> keptOf(linalg::GenericOp op) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  unsigned reducing = llvm::count(kinds, utils::IteratorType::reduction);
  // Of the others only reductions of the last loop can be row operations.
  if (reducing > 1 ||
      (reducing == 1 && kinds.back() != utils::IteratorType::reduction))
    return std::nullopt;
  llvm::SmallDenseSet<unsigned> dropped;
  if (reducing == 0)
    dropped = unitLoops(op, maps);
  if (dropped.size() == kinds.size())
    return std::nullopt;
  Kept kept;
  for (unsigned loop = 0; loop < kinds.size(); ++loop)
    if (!dropped.contains(loop))
      kept.loops.push_back(loop);
  bool changes = !dropped.empty();
  for (auto [value, map] : llvm::zip_equal(op->getOperands(), maps)) {
    SmallVector<int64_t> &dims = kept.dims.emplace_back();
    for (auto [p, row] : llvm::enumerate(map.getResults()))
      if (!isUnit(dyn_cast<RankedTensorType>(value.getType()), p, row, dropped))
        dims.push_back(p);
    changes |= dims.size() != map.getNumResults();
  }
  return changes ? std::optional(std::move(kept)) : std::nullopt;
}

static linalg::GenericOp withoutUnits(OpBuilder &builder, linalg::GenericOp op,
                                      const Kept &kept) {
  MLIRContext *context = op.getContext();
  SmallVector<AffineExpr> replaced(op.getNumLoops(),
                                   getAffineConstantExpr(0, context));
  SmallVector<utils::IteratorType> kinds;
  for (unsigned loop : kept.loops) {
    replaced[loop] = getAffineDimExpr(kinds.size(), context);
    kinds.push_back(op.getIteratorTypesArray()[loop]);
  }
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (auto [value, map, dims] : llvm::zip_equal(
           op->getOperands(), op.getIndexingMapsArray(), kept.dims)) {
    auto rows = llvm::map_to_vector(dims, [map = map, &replaced](int64_t p) {
      return map.getResult(p).replaceDims(replaced);
    });
    maps.push_back(AffineMap::get(kinds.size(), 0, rows, context));
    bool isWhole = dims.size() == map.getNumResults();
    bool isInit = maps.size() == op->getNumOperands();
    operands.push_back(
        isWhole ? value : narrowed(builder, op.getLoc(), value, dims, isInit));
  }
  Block *body = op.getBody();
  return linalg::GenericOp::create(
      builder, op.getLoc(), TypeRange(operands.back().getType()),
      ValueRange(operands).drop_back(), operands.back(), maps, kinds,
      [&](OpBuilder &inside, Location place, ValueRange arguments) {
        IRMapping values;
        values.map(body->getArguments(), arguments);
        for (Operation &inner : *body)
          inside.clone(inner, values);
      });
}

void dropUnits(linalg::GenericOp op) {
  bool isStatic = llvm::all_of(op->getOperandTypes(), [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return !shaped || (isa<RankedTensorType>(type) && shaped.hasStaticShape());
  });
  if (op->getNumResults() != 1 || !isStatic)
    return;
  std::optional<Kept> kept = keptOf(op);
  if (!kept)
    return;
  OpBuilder builder(op);
  Value result = withoutUnits(builder, op, *kept)->getResult(0);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (result.getType() != type)
    result = expanded(builder, op.getLoc(), result, type);
  op->getResult(0).replaceAllUsesWith(result);
  op.erase();
}

void foldReshapes(Operation *op) {
  if (Value same = reshapedFrom(op->getOperand(0), op->getResult(0).getType()))
    op->getResult(0).replaceAllUsesWith(same);
}

} // namespace harl
