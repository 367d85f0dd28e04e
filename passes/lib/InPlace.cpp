//===- InPlace.cpp - A tensor in the place of the one it is made of -------===//
//
// A port of harl_mlir/codegen/in_place.py.
//
//===----------------------------------------------------------------------===//

#include "Fills.h"
#include "TensorPlaces.h"
#include "harl/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include <optional>

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_COMPUTEINPLACEPASS
#include "harl/Passes.h.inc"

namespace {

/// A loop that writes a part of a tensor, and the reads at what it writes of
/// one other tensor.
struct Writer {
  scf::ForOp loop;
  vector::TransferWriteOp write;
  SmallVector<vector::TransferReadOp> reads;
};

bool isStatic(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape();
}

/// The loop, if its steps write apart from one another and read there one
/// tensor of this type.
std::optional<Writer> writerOf(scf::ForOp loop, Type kind,
                               ArrayRef<int64_t> place) {
  Value carried = loop.getRegionIterArgs()[0];
  auto write =
      loop.getYieldedValues()[0].getDefiningOp<vector::TransferWriteOp>();
  if (!write || write->getBlock() != loop.getBody() || !carried.hasOneUse() ||
      write.getBase() != carried || !isPlain(write))
    return std::nullopt;
  int64_t along = 0, count = 0;
  SmallVector<std::pair<Value, int64_t>> wanted;
  for (auto [index, size, more] : llvm::zip_equal(
           write.getIndices(), write.getVectorType().getShape(), place)) {
    wanted.push_back(sumOf(index, more));
    if (index == loop.getInductionVar()) {
      ++count;
      along = size;
    }
  }
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  if (count != 1 || !step || *step < along)
    return std::nullopt;
  llvm::MapVector<Value, SmallVector<vector::TransferReadOp>> found;
  loop.walk<WalkOrder::PreOrder>([&](vector::TransferReadOp read) {
    if (read.getBase().getType() == kind)
      found[read.getBase()].push_back(read);
  });
  for (auto &[tensor, reads] : found) {
    bool same = llvm::all_of(reads, [&](vector::TransferReadOp read) {
      auto at = llvm::map_to_vector(read.getIndices(),
                                    [](Value index) { return sumOf(index); });
      return read->getBlock() == loop.getBody() && isPlain(read) &&
             at == wanted && read.getVectorType() == write.getVectorType();
    });
    if (same)
      return Writer{loop, write, reads};
  }
  return std::nullopt;
}

/// The empty tensor that a tensor was written to, if nothing else was.
Value rootOf(Value value) {
  llvm::DenseSet<Operation *> ops;
  llvm::SmallSetVector<Value, 2> roots;
  SmallVector<Value> stack = {value};
  while (!stack.empty()) {
    Value each = stack.pop_back_val();
    Operation *op = each.getDefiningOp();
    if (!op || isa<tensor::EmptyOp>(op)) {
      roots.insert(each);
      continue;
    }
    ops.insert(op);
    if (auto loop = dyn_cast<scf::ForOp>(op); loop && loop.getNumResults() == 1)
      stack.push_back(loop.getInitArgs()[0]);
    else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
      stack.push_back(slice.getSource());
    else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      stack.append({insert.getSource(), insert.getDest()});
    else if (auto write = dyn_cast<vector::TransferWriteOp>(op))
      stack.push_back(write.getBase());
    else
      return Value();
  }
  if (roots.size() != 1 || !roots[0].getDefiningOp<tensor::EmptyOp>() ||
      !llvm::all_of(roots[0].getUsers(),
                    [&](Operation *user) { return ops.contains(user); }))
    return Value();
  return roots[0];
}

/// Whether `op` could stand before an op of a block.
bool mayStand(Operation *op, Operation *before) {
  return llvm::all_of(op->getOperands(), [&](Value value) {
    Operation *maker = value.getDefiningOp();
    return !maker || maker->getBlock() != before->getBlock() ||
           maker->isBeforeInBlock(before);
  });
}

/// Puts the tensor that all writers read in the place of `start`, if it was
/// made for them.
void takeOver(Value start, ArrayRef<Writer> writers) {
  Block *block = writers.front().loop->getBlock();
  vector::TransferReadOp any = writers.front().reads.front();
  Value value = any.getBase();
  Operation *maker = value.getDefiningOp();
  llvm::DenseSet<Operation *> ours;
  for (const Writer &writer : writers)
    for (vector::TransferReadOp read : writer.reads) {
      if (read.getBase() != value)
        return;
      ours.insert(read);
    }
  Value root = maker && maker->getBlock() == block ? rootOf(value) : Value();
  if (!root || root == start || root.getType() != start.getType())
    return;
  Operation *first = nullptr;
  for (Operation *user : start.getUsers()) {
    Operation *here = block->findAncestorOpInBlock(*user);
    if (!here || here == maker || here->isBeforeInBlock(maker))
      return;
    if (!first || here->isBeforeInBlock(first))
      first = here;
  }
  SmallVector<Operation *> late;
  for (Operation *user : value.getUsers()) {
    if (ours.contains(user) ||
        block->findAncestorOpInBlock(*user)->isBeforeInBlock(first))
      continue;
    if (!isa<vector::TransferReadOp>(user) || user->getBlock() != block ||
        !mayStand(user, first))
      return;
    late.push_back(user);
  }
  Operation *began = block->findAncestorOpInBlock(*root.getDefiningOp());
  if (!began || !mayStand(start.getDefiningOp(), began))
    return;
  for (Operation *read : late)
    read->moveBefore(first);
  start.replaceAllUsesWith(value);
  start.getDefiningOp()->moveBefore(began);
  root.replaceAllUsesWith(start);
  for (const Writer &writer : writers)
    for (Operation *read : ours)
      if (read->getParentOp() == writer.loop) {
        vector::TransferWriteOp write = writer.write;
        read->setOperands(0, write.getIndices().size() + 1,
                          write->getOperands().slice(
                              1, write.getIndices().size() + 1));
      }
}

struct ComputeInPlace
    : public impl::ComputeInPlacePassBase<ComputeInPlace> {
  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation().walk<WalkOrder::PreOrder>(
        [&](scf::ForOp loop) { loops.push_back(loop); });
    for (scf::ForOp loop : loops)
      ownEmpties(loop);
    llvm::MapVector<Value, SmallVector<std::pair<scf::ForOp, Place>>> found;
    for (scf::ForOp loop : loops) {
      if (loop.getNumResults() != 1 ||
          !isStatic(loop.getResult(0).getType()))
        continue;
      auto [start, place] = startOf(loop.getInitArgs()[0]);
      if (place && isUnknown(start))
        found[start].push_back({loop, *place});
    }
    for (auto &[start, group] : found) {
      SmallVector<Writer> writers;
      for (auto &[loop, place] : group)
        if (std::optional<Writer> writer =
                writerOf(loop, start.getType(), place))
          writers.push_back(*writer);
      if (writers.size() == group.size())
        takeOver(start, writers);
    }
  }
};

} // namespace
} // namespace harl
