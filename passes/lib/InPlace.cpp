//===- InPlace.cpp - A tensor in the place of the one it is made of -------===//
//
// A port of harl_mlir/codegen/in_place.py.
//
//===----------------------------------------------------------------------===//

#include "harl/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace harl {

#define GEN_PASS_DEF_COMPUTEINPLACEPASS
#include "harl/Passes.h.inc"

namespace {

/// Whether nothing is known of a tensor's elements: it is empty, or a part of
/// an empty result.
bool isUnknown(Value value) {
  if (value.getDefiningOp<tensor::EmptyOp>())
    return true;
  auto part = value.getDefiningOp<tensor::ExtractSliceOp>();
  auto shared = part ? dyn_cast<BlockArgument>(part.getSource()) : nullptr;
  auto loop = shared ? dyn_cast<scf::ForallOp>(shared.getOwner()->getParentOp())
                     : nullptr;
  if (!loop || !llvm::is_contained(loop.getRegionIterArgs(), shared))
    return false;
  OpOperand *start = loop.getTiedOpOperand(shared);
  return start->get().getDefiningOp<tensor::EmptyOp>() != nullptr;
}

/// The op that writes a vector at each step to the tensor which the loop
/// carries, that nothing else uses. No two steps write the same elements.
vector::TransferWriteOp onlyWrite(scf::ForOp loop) {
  Value carried = loop.getRegionIterArgs()[0];
  auto write =
      loop.getYieldedValues()[0].getDefiningOp<vector::TransferWriteOp>();
  if (!write || write->getBlock() != loop.getBody() || !carried.hasOneUse() ||
      write.getBase() != carried || write.getMask() ||
      !write.getPermutationMap().isIdentity())
    return {};
  int64_t along = 0;
  int count = 0;
  for (auto [index, size] :
       llvm::zip_equal(write.getIndices(), write.getVectorType().getShape()))
    if (index == loop.getInductionVar()) {
      ++count;
      along = size;
    }
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  return count == 1 && step && *step >= along ? write
                                              : vector::TransferWriteOp();
}

/// All reads of one tensor in the loop, where each is of what is written at the
/// same step; else none.
SmallVector<vector::TransferReadOp> readsOfOne(scf::ForOp loop,
                                               vector::TransferWriteOp write) {
  llvm::MapVector<Value, SmallVector<vector::TransferReadOp>> found;
  loop.walk<WalkOrder::PreOrder>([&](vector::TransferReadOp read) {
    if (read.getBase().getType() == write.getBase().getType())
      found[read.getBase()].push_back(read);
  });
  for (auto &[tensor, reads] : found)
    if (llvm::all_of(reads, [&](vector::TransferReadOp read) {
          return read->getBlock() == write->getBlock() && !read.getMask() &&
                 llvm::equal(read.getIndices(), write.getIndices()) &&
                 read.getVectorType() == write.getVectorType() &&
                 read.getPermutationMap() == write.getPermutationMap();
        }))
      return reads;
  return {};
}

/// Whether the tensor that is read was made for this loop, and nothing else
/// reads it later.
bool isFree(ArrayRef<vector::TransferReadOp> reads, scf::ForOp loop) {
  Value value = reads.front().getBase();
  auto maker = value.getDefiningOp<scf::ForOp>();
  Block *block = loop->getBlock();
  if (!maker || maker->getBlock() != block || maker.getNumResults() != 1 ||
      !isUnknown(maker.getInitArgs()[0]))
    return false;
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    if (auto read = dyn_cast<vector::TransferReadOp>(user);
        read && llvm::is_contained(reads, read))
      return true;
    return block->findAncestorOpInBlock(*user)->isBeforeInBlock(loop);
  });
}

struct ComputeInPlace
    : public impl::ComputeInPlacePassBase<ComputeInPlace> {
  void runOnOperation() override {
    getOperation().walk<WalkOrder::PreOrder>([](scf::ForOp loop) {
      if (loop.getNumResults() != 1 || !isUnknown(loop.getInitArgs()[0]))
        return;
      vector::TransferWriteOp write = onlyWrite(loop);
      SmallVector<vector::TransferReadOp> reads;
      if (write)
        reads = readsOfOne(loop, write);
      if (reads.empty() || !isFree(reads, loop))
        return;
      loop.getInitArgsMutable()[0].set(reads.front().getBase());
      for (vector::TransferReadOp read : reads)
        read.getBaseMutable().set(loop.getRegionIterArgs()[0]);
    });
  }
};

} // namespace
} // namespace harl
