//===- RowPieces.cpp - Rows that are kept in pieces -----------------------===//

#include "RowPieces.h"
#include "TensorPlaces.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

namespace {

Ranges fromTo(ArrayRef<int64_t> low, ArrayRef<int64_t> high,
              ArrayRef<int64_t> sizes) {
  Ranges found;
  for (auto [a, b, size] : llvm::zip_equal(low, high, sizes))
    found.push_back({a, b + size});
  return found;
}

/// The least and greatest number that an index is.
std::optional<std::pair<int64_t, int64_t>> boundsOf(Value index) {
  auto [value, number] = sumOf(index);
  if (!value)
    return std::pair(number, number);
  auto argument = dyn_cast<BlockArgument>(value);
  auto loop = argument ? dyn_cast_or_null<scf::ForOp>(
                             argument.getOwner()->getParentOp())
                       : nullptr;
  if (!loop || argument != loop.getInductionVar())
    return std::nullopt;
  std::optional<int64_t> first = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> last = getConstantIntValue(loop.getUpperBound());
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  if (!first || !last || !step || *last <= *first)
    return std::nullopt;
  return std::pair(*first + number,
                   *first + (*last - *first - 1) / *step * *step + number);
}

/// Where an op writes into another tensor, in all steps of its loop.
std::optional<Ranges> written(Operation *op) {
  if (auto write = dyn_cast<vector::TransferWriteOp>(op))
    return rangesOf(write);
  auto insert = cast<tensor::InsertSliceOp>(op);
  std::optional<Place> offsets = offsetsOf(insert);
  if (!offsets)
    return std::nullopt;
  return fromTo(*offsets, *offsets, insert.getSourceType().getShape());
}

bool isBeginning(std::optional<Place> offsets) {
  return offsets && llvm::all_of(*offsets, [](int64_t n) { return n == 0; });
}

/// The loop that makes what is put back to where it was taken from, the
/// beginning.
scf::ForOp loopOf(tensor::InsertSliceOp insert) {
  auto loop = insert.getSource().getDefiningOp<scf::ForOp>();
  if (!loop || loop->getBlock() != insert->getBlock() ||
      loop.getNumResults() != 1)
    return {};
  auto taken = loop.getInitArgs()[0].getDefiningOp<tensor::ExtractSliceOp>();
  if (!taken || taken.getSource() != insert.getDest() ||
      taken.getResultType() != insert.getSourceType() ||
      !isBeginning(offsetsOf(taken)) || !isBeginning(offsetsOf(insert)) ||
      !taken->hasOneUse() || !loop->hasOneUse())
    return {};
  BlockArgument carried = loop.getRegionIterArgs()[0];
  Value last = loop.getYieldedValues()[0];
  auto write = last.getDefiningOp<vector::TransferWriteOp>();
  if (!write || write.getBase() != carried || !last.hasOneUse())
    return {};
  for (Operation *user : carried.getUsers()) {
    auto transfer = dyn_cast<VectorTransferOpInterface>(user);
    if (!transfer || !isPlain(transfer) ||
        (user != write && !isa<vector::TransferReadOp>(user)))
      return {};
  }
  return loop;
}

} // namespace

void carryWholeRows(Block *block) {
  for (auto insert :
       llvm::make_early_inc_range(block->getOps<tensor::InsertSliceOp>())) {
    scf::ForOp loop = loopOf(insert);
    if (!loop)
      continue;
    Value row = insert.getDest();
    Operation *taken = loop.getInitArgs()[0].getDefiningOp();
    loop.getInitArgsMutable()[0].assign(row);
    taken->erase();
    loop.getRegionIterArgs()[0].setType(row.getType());
    loop.getYieldedValues()[0].setType(row.getType());
    loop.getResult(0).setType(row.getType());
    insert.getResult().replaceAllUsesWith(loop.getResult(0));
    insert.erase();
  }
}

std::optional<Ranges> touched(OpOperand &use) {
  Operation *op = use.getOwner();
  if (isa<tensor::InsertSliceOp, vector::TransferWriteOp>(op))
    return use.getOperandNumber() == 1 ? written(op) : std::nullopt;
  if (auto part = dyn_cast<tensor::ExtractSliceOp>(op)) {
    std::optional<Place> offsets = offsetsOf(part);
    if (!offsets)
      return std::nullopt;
    return fromTo(*offsets, *offsets, part.getResultType().getShape());
  }
  if (auto read = dyn_cast<vector::TransferReadOp>(op))
    return rangesOf(read);
  return std::nullopt;
}

Value beforeAt(Value tensor, const Ranges &place) {
  while (Operation *op = tensor.getDefiningOp()) {
    if (!isa<tensor::InsertSliceOp, vector::TransferWriteOp>(op))
      break;
    std::optional<Ranges> other = written(op);
    if (!other || !areApart(*other, place))
      break;
    tensor = op->getOperand(1);
  }
  return tensor;
}

std::optional<Ranges> rangesOf(VectorTransferOpInterface transfer) {
  if (!isPlain(transfer))
    return std::nullopt;
  SmallVector<int64_t> low, high;
  for (Value index : transfer.getIndices()) {
    auto bounds = boundsOf(index);
    if (!bounds)
      return std::nullopt;
    low.push_back(bounds->first);
    high.push_back(bounds->second);
  }
  return fromTo(low, high, transfer.getVectorType().getShape());
}

bool areApart(const Ranges &one, const Ranges &other) {
  for (auto [a, b] : llvm::zip_equal(one, other))
    if (a.second <= b.first || b.second <= a.first)
      return true;
  return false;
}

} // namespace harl
