//===- OnlineLoops.cpp - Loops over chunks of rows ------------------------===//

#include "OnlineLoops.h"
#include "RowLoops.h"
#include "RowPieces.h"
#include "TensorPlaces.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;

namespace harl {

namespace {

/// Whether a transfer in a loop is at the place where `write` wrote in its own,
/// and alike.
bool isAt(VectorTransferOpInterface transfer, vector::TransferWriteOp write,
          scf::ForOp loop) {
  if (!transfer || transfer->getBlock() != loop.getBody())
    return false;
  Value own = cast<scf::ForOp>(write->getParentOp()).getInductionVar();
  auto indices = transfer.getIndices();
  if (indices.size() != write.getIndices().size())
    return false;
  for (auto [given, index] : llvm::zip_equal(indices, write.getIndices()))
    if (given != (index == own ? loop.getInductionVar() : index))
      return false;
  return isPlain(transfer) &&
         transfer.getVectorType() == write.getVectorType();
}

/// The uses of a tensor at a place, of the tensors, too, that differ from it
/// elsewhere alone.
SmallVector<OpOperand *> usesOf(Value tensor,
                                const std::optional<Ranges> &place) {
  SmallVector<OpOperand *> found;
  SmallVector<Value> tensors = {tensor};
  for (size_t next = 0; next < tensors.size(); ++next)
    for (OpOperand &use : tensors[next].getUses()) {
      std::optional<Ranges> other = place ? touched(use) : std::nullopt;
      if (!other || !areApart(*place, *other))
        found.push_back(&use);
      else if (use.getOperandNumber() == 1)
        llvm::append_range(tensors, use.getOwner()->getResults());
    }
  return found;
}

/// The loop that reads what `write` wrote in its own, if it does nothing else
/// with it.
std::optional<Reader> readerOf(OpOperand &use, vector::TransferWriteOp write) {
  if (auto loop = dyn_cast<scf::ForOp>(use.getOwner())) {
    SmallVector<vector::TransferReadOp> reads;
    if (use.getOperandNumber() < loop.getNumControlOperands())
      return std::nullopt;
    for (Operation *other : loop.getTiedLoopRegionIterArg(&use).getUsers()) {
      if (!isAt(dyn_cast<VectorTransferOpInterface>(other), write, loop))
        return std::nullopt;
      if (auto read = dyn_cast<vector::TransferReadOp>(other))
        reads.push_back(read);
    }
    if (reads.size() != 1)
      return std::nullopt;
    return Reader{loop, reads[0]};
  }
  auto read = dyn_cast<vector::TransferReadOp>(use.getOwner());
  auto loop = dyn_cast<scf::ForOp>(use.getOwner()->getParentOp());
  if (!read || !loop || !isAt(read, write, loop))
    return std::nullopt;
  return Reader{loop, read};
}

SmallVector<Value> placeOf(OpBuilder &builder, Location at,
                           const Chunks &chunks, int64_t rank, Value begin) {
  Value zero = arith::ConstantIndexOp::create(builder, at, 0);
  if (chunks.first != 0)
    begin = arith::SubIOp::create(builder, at, begin, chunks.lower);
  SmallVector<Value> place(rank + 1, zero);
  place[0] = arith::DivUIOp::create(builder, at, begin, chunks.step);
  return place;
}

Value get(OpBuilder &builder, Location at, const Chunks &chunks,
          VectorType type, Value bases, Value begin) {
  Value poison =
      ub::PoisonOp::create(builder, at, type.getElementType(),
                           ub::PoisonAttr::get(builder.getContext()));
  SmallVector<Value> place =
      placeOf(builder, at, chunks, type.getRank(), begin);
  SmallVector<bool> inside(type.getRank(), true);
  return vector::TransferReadOp::create(builder, at, type, bases, place,
                                        poison, ArrayRef<bool>(inside));
}

} // namespace

std::optional<Chunks> Chunks::of(scf::ForOp loop, int64_t elements) {
  std::optional<int64_t> first = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> last = getConstantIntValue(loop.getUpperBound());
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  if (!first || !last || !step)
    return std::nullopt;
  int64_t size = std::max<int64_t>(elements / *step, 1) * *step;
  int64_t length = *last - *first;
  if (size >= length)
    return std::nullopt;
  OpBuilder builder(loop);
  Value made = arith::ConstantIndexOp::create(builder, loop.getLoc(), size);
  return Chunks{loop.getLowerBound(),
                loop.getUpperBound(),
                loop.getStep(),
                made,
                *first,
                (length + size - 1) / size,
                length % size == 0};
}

Value Chunks::end(OpBuilder &builder, Location at, Value begin) const {
  Value end = arith::AddIOp::create(builder, at, begin, step);
  if (whole)
    return end;
  return arith::MinSIOp::create(builder, at, end, upper);
}

Value Chunks::empty(OpBuilder &builder, Location at, VectorType vector) const {
  SmallVector<int64_t> shape = {count};
  llvm::append_range(shape, vector.getShape());
  return tensor::EmptyOp::create(builder, at, shape, vector.getElementType());
}

Value Chunks::put(OpBuilder &builder, Location at, Value vector, Value into,
                  Value begin) const {
  int64_t rank = cast<VectorType>(vector.getType()).getRank();
  SmallVector<Value> place = placeOf(builder, at, *this, rank, begin);
  SmallVector<bool> inside(rank, true);
  return vector::TransferWriteOp::create(builder, at, vector, into, place,
                                         ArrayRef<bool>(inside))
      ->getResult(0);
}

void Chunks::scale(const Reader &reader, Value greatest, Value total,
                   Value bases) const {
  scf::ForOp loop = reader.loop;
  vector::TransferReadOp read = reader.read;
  arith::DivFOp dividing = divisionOf(read, total);
  OpBuilder builder(loop);
  Location at = loop.getLoc();
  Value wanted = spreadAnew(builder, greatest);
  Value by = spreadAnew(builder, dividing.getRhs());
  auto made = scf::ForOp::create(builder, at, lower, upper, step,
                                 loop.getInitArgs());
  builder.setInsertionPointToStart(made.getBody());
  Value begin = made.getInductionVar();
  Value then = get(builder, at, *this, read.getVectorType(), bases, begin);
  Value less = arith::SubFOp::create(builder, at, then, wanted);
  Value power = math::ExpOp::create(builder, at, less);
  Value factor = arith::DivFOp::create(builder, at, power, by);
  Value last = end(builder, at, begin);
  auto within = scf::ForOp::create(builder, at, begin, last, inner,
                                   made.getRegionIterArgs());
  if (made.getNumResults())
    scf::YieldOp::create(builder, at, within.getResults());
  within->setDiscardableAttrs(loop->getDiscardableAttrDictionary());
  IRMapping values;
  values.map(loop.getBody()->getArguments(),
             within.getBody()->getArguments());
  if (!made.getNumResults())
    within.getBody()->getTerminator()->erase();
  builder.setInsertionPointToStart(within.getBody());
  for (Operation &op : *loop.getBody()) {
    if (&op == dividing) {
      values.map(op.getResult(0), values.lookup(read.getVector()));
      continue;
    }
    Operation *copy = builder.clone(op, values);
    if (&op == read)
      values.map(read.getVector(),
                 arith::MulFOp::create(builder, at, copy->getResult(0),
                                       factor)
                     .getResult());
  }
  loop->replaceAllUsesWith(made);
  loop.erase();
}

arith::DivFOp divisionOf(vector::TransferReadOp read, Value total) {
  if (!read->hasOneUse())
    return {};
  OpOperand &use = *read->getUses().begin();
  auto division = dyn_cast<arith::DivFOp>(use.getOwner());
  if (!division || division->getBlock() != read->getBlock() ||
      use.getOperandNumber() != 0)
    return {};
  Value sums = spreadFrom(division.getRhs());
  bool divides =
      sums && llvm::is_contained(reducedTo(sums,
                                           arith::AddFOp::getOperationName(),
                                           vector::CombiningKind::ADD),
                                 total);
  return divides ? division : arith::DivFOp();
}

std::optional<Kept> keptBy(scf::ForOp writer, vector::TransferReadOp without) {
  if (writer.getNumResults() != 1 ||
      !writer.getRegionIterArgs()[0].hasOneUse())
    return std::nullopt;
  auto write =
      writer.getYieldedValues()[0].getDefiningOp<vector::TransferWriteOp>();
  if (!write || write->getBlock() != writer.getBody() ||
      write.getBase() != writer.getRegionIterArgs()[0] || !isPlain(write))
    return std::nullopt;
  Value own = writer.getInductionVar();
  auto indices = write.getIndices();
  std::optional<int64_t> step = getConstantIntValue(writer.getStep());
  if (llvm::count(indices, own) != 1 || !step)
    return std::nullopt;
  int64_t along = llvm::find(indices, own) - indices.begin();
  if (*step < write.getVectorType().getDimSize(along))
    return std::nullopt;
  Kept kept{write, {}};
  for (OpOperand *use : usesOf(writer.getResult(0), rangesOf(write))) {
    std::optional<Reader> reader = readerOf(*use, write);
    if (!reader)
      return std::nullopt;
    if (reader->read != without)
      kept.readers.push_back(*reader);
  }
  llvm::SmallPtrSet<Operation *, 4> loops;
  for (Reader &reader : kept.readers)
    if (!loops.insert(reader.loop).second || !sameSteps(reader.loop, writer))
      return std::nullopt;
  return kept;
}

Value spreadAnew(OpBuilder &builder, Value value) {
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<vector::BroadcastOp, vector::TransposeOp,
                       vector::ShapeCastOp>(op))
    return value;
  Value source = spreadAnew(builder, op->getOperand(0));
  Operation *copy = builder.clone(*op);
  copy->setOperand(0, source);
  return copy->getResult(0);
}

bool mayStand(Value value, Operation *before) {
  auto stands = [&](Value each) {
    Operation *maker = each.getDefiningOp();
    return !maker || maker->getBlock() != before->getBlock() ||
           maker->isBeforeInBlock(before);
  };
  if (stands(value))
    return true;
  Operation *maker = value.getDefiningOp();
  return isa<tensor::EmptyOp, tensor::ExtractSliceOp, arith::ConstantOp>(
             maker) &&
         llvm::all_of(maker->getOperands(), stands);
}

} // namespace harl
