//===- TensorPlaces.cpp - Which part of a tensor a value is ---------------===//

#include "TensorPlaces.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

bool isPlain(VectorTransferOpInterface transfer) {
  return !transfer.getMask() && !transfer.hasOutOfBoundsDim() &&
         transfer.getPermutationMap().isIdentity();
}

/// Where a slice of as many dimensions is, if that is known and it leaves
/// nothing out.
template <typename Slice>
static std::optional<Place> offsetsOf(Slice slice, int64_t inner,
                                      int64_t outer) {
  if (inner != outer || !slice.getOffsets().empty() ||
      !slice.getSizes().empty() || !slice.getStrides().empty() ||
      llvm::any_of(slice.getStaticStrides(), [](int64_t n) { return n != 1; }))
    return std::nullopt;
  return Place(slice.getStaticOffsets());
}

std::pair<Value, int64_t> sumOf(Value index, int64_t more) {
  if (std::optional<int64_t> number = getConstantIntValue(index))
    return {Value(), *number + more};
  auto applied = index.getDefiningOp<affine::AffineApplyOp>();
  if (applied && applied->getNumOperands() == 1) {
    auto sum = dyn_cast<AffineBinaryOpExpr>(applied.getAffineMap().getResult(0));
    if (sum && sum.getKind() == AffineExprKind::Add &&
        isa<AffineDimExpr, AffineSymbolExpr>(sum.getLHS()))
      if (auto number = dyn_cast<AffineConstantExpr>(sum.getRHS()))
        return {applied->getOperand(0), number.getValue() + more};
  }
  return {index, more};
}

std::optional<Place> offsetsOf(tensor::ExtractSliceOp part) {
  return offsetsOf(part, part.getResultType().getRank(),
                   part.getSourceType().getRank());
}

std::optional<Place> offsetsOf(tensor::InsertSliceOp whole) {
  return offsetsOf(whole, whole.getSourceType().getRank(),
                   whole.getDestType().getRank());
}

/// Where a vector is written, with the dimensions of the tensor, if that is
/// known.
static std::optional<Place> placeOf(vector::TransferWriteOp write) {
  Place place;
  if (!isPlain(write))
    return std::nullopt;
  for (Value index : write.getIndices()) {
    auto [value, number] = sumOf(index);
    if (value)
      return std::nullopt;
    place.push_back(number);
  }
  return place;
}

std::pair<Value, std::optional<Place>> startOf(Value value) {
  Place sizes(cast<RankedTensorType>(value.getType()).getShape());
  Place place(sizes.size(), 0);
  while (Operation *op = value.getDefiningOp()) {
    if (auto part = dyn_cast<tensor::ExtractSliceOp>(op)) {
      std::optional<Place> offsets = offsetsOf(part);
      if (!offsets || !part.getSource().getDefiningOp())
        break;
      for (auto [at, more] : llvm::zip_equal(place, *offsets))
        at += more;
      value = part.getSource();
      continue;
    }
    std::optional<Place> offsets;
    ArrayRef<int64_t> written;
    Value before;
    if (auto whole = dyn_cast<tensor::InsertSliceOp>(op)) {
      offsets = offsetsOf(whole);
      written = whole.getSourceType().getShape();
      before = whole.getDest();
    } else if (auto write = dyn_cast<vector::TransferWriteOp>(op)) {
      offsets = placeOf(write);
      written = write.getVectorType().getShape();
      before = write.getBase();
    }
    if (!offsets)
      break;
    bool apart = false;
    for (auto [a, n, b, m] : llvm::zip_equal(place, sizes, *offsets, written))
      apart |= a + n <= b || b + m <= a;
    if (!apart)
      return {value, std::nullopt};
    value = before;
  }
  return {value, place};
}

bool isUnknown(Value value) {
  if (value.getDefiningOp<tensor::EmptyOp>())
    return true;
  auto part = value.getDefiningOp<tensor::ExtractSliceOp>();
  if (!part)
    return false;
  auto shared = dyn_cast<BlockArgument>(part.getSource());
  if (!shared)
    return isUnknown(part.getSource());
  auto loop = dyn_cast<scf::ForallOp>(shared.getOwner()->getParentOp());
  return loop && llvm::is_contained(loop.getRegionIterArgs(), shared) &&
         isUnknown(loop.getTiedOpOperand(shared)->get());
}

} // namespace harl
