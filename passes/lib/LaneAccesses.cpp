//===- LaneAccesses.cpp - What a step of a loop reads and writes ----------===//
//
// As harl_mlir/codegen/lane_accesses.py.
//
//===----------------------------------------------------------------------===//

#include "LaneAccesses.h"

#include "BufferViews.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace harl {

bool isSame(Operation *op) {
  return isa<vector::ExtractOp, vector::BroadcastOp>(op);
}

bool isIndex(Operation *op) {
  return op->getNumResults() && llvm::all_of(op->getResultTypes(), [](Type t) {
           return t.isIndex();
         });
}

bool isAccess(Operation *op) {
  return isa<vector::TransferReadOp, memref::LoadOp, vector::TransferWriteOp,
             memref::StoreOp>(op);
}

bool isWrite(Operation *op) {
  return isa<vector::TransferWriteOp, memref::StoreOp>(op);
}

namespace {

/// Elements that are farther apart are not worth reading with what lies
/// between.
constexpr int64_t kFarthest = 4;

/// Whether it is a number, or a vector of no dimension; positions are no
/// elements.
bool isElement(Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.getRank() == 0;
  return !type.isIndex();
}

/// Whether it computes an element of elements, or passes one on; none of these
/// has an effect.
bool isArithmetic(Operation *op) {
  return (isSame(op) || isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
                            op->getDialect())) &&
         op->getNumResults() == 1 &&
         llvm::all_of(op->getOperandTypes(), isElement) &&
         isElement(op->getResult(0).getType());
}

/// Whether nothing in it moves with the loop, but its induction variable
/// itself.
bool isKnown(const Linear &index, scf::ForOp loop) {
  return llvm::all_of(index.factors, [&](const auto &each) {
    if (auto argument = dyn_cast<BlockArgument>(each.first))
      return argument.getArgNumber() == 0 ||
             !loop->isAncestor(argument.getOwner()->getParentOp());
    return !loop->isProperAncestor(each.first.getDefiningOp());
  });
}

/// Whether all lanes go through it alike.
bool isInnerLoop(Operation *op, scf::ForOp loop) {
  auto inner = dyn_cast<scf::ForOp>(op);
  return inner &&
         llvm::all_of(ValueRange{inner.getLowerBound(), inner.getUpperBound(),
                                 inner.getStep()},
                      [&](Value bound) {
                        Linear found = linearOf(bound);
                        return isKnown(found, loop) &&
                               !found.movesWith(loop.getInductionVar());
                      });
}

std::optional<Access> accessOf(Operation *op, scf::ForOp loop) {
  Value position = loop.getInductionVar();
  bool writes = isWrite(op);
  Type value = writes ? op->getOperand(0).getType() : op->getResult(0).getType();
  Value buffer = op->getOperand(writes ? 1 : 0);
  auto type = dyn_cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!isElement(value) || !type || !type.getRank() ||
      failed(type.getStridesAndOffset(strides, offset)))
    return std::nullopt;
  auto transfer = dyn_cast<VectorTransferOpInterface>(op);
  if (transfer && transfer.getMask())
    return std::nullopt;
  Access access{op, buffer, {}, 0, writes};
  for (Value index :
       op->getOperands().drop_front(writes ? 2 : 1).take_front(type.getRank()))
    access.indices.push_back(linearOf(index));
  for (const Linear &index : access.indices)
    if (!isKnown(index, loop))
      return std::nullopt;
  for (const Linear &index : ArrayRef(access.indices).drop_back())
    if (index.movesWith(position))
      return std::nullopt;
  access.stride = access.indices.back().movesWith(position);
  if (access.stride < 0 || access.stride > kFarthest ||
      (access.stride && strides.back() != 1) || (writes && access.stride != 1))
    return std::nullopt;
  return access;
}

/// Whether two reads are as far from each other in every step.
bool readsBeside(const Access &one, const Access &other) {
  return one.buffer == other.buffer &&
         one.op->getBlock() == other.op->getBlock() &&
         ArrayRef(one.indices).drop_back() ==
             ArrayRef(other.indices).drop_back() &&
         one.indices.back().differsInConstant(other.indices.back());
}

} // namespace

std::optional<SmallVector<Access>> accessesOf(scf::ForOp loop) {
  SmallVector<Access> found;
  WalkResult walked =
      loop.getBody()->walk<WalkOrder::PreOrder>([&](Operation *op) {
        if (isa<scf::YieldOp>(op))
          return WalkResult::advance();
        if (isAccess(op)) {
          std::optional<Access> access = accessOf(op, loop);
          if (!access)
            return WalkResult::interrupt();
          found.push_back(*access);
          return WalkResult::advance();
        }
        return isIndex(op) || isArithmetic(op) || isInnerLoop(op, loop)
                   ? WalkResult::advance()
                   : WalkResult::interrupt();
      });
  if (walked.wasInterrupted())
    return std::nullopt;
  for (auto [number, access] : llvm::enumerate(found)) {
    if (!access.writes)
      continue;
    for (auto [place, other] : llvm::enumerate(found)) {
      if (place == number || rootOf(other.buffer) != rootOf(access.buffer))
        continue;
      // What is read first and written then may be the same element.
      if (place > number || other.writes || other.buffer != access.buffer ||
          other.indices != access.indices)
        return std::nullopt;
    }
  }
  return found;
}

SmallVector<Group> groupsOf(ArrayRef<Access> accesses,
                            llvm::DenseMap<Operation *, Place> &places) {
  SmallVector<Group> groups;
  SmallVector<SmallVector<const Access *>> alike;
  for (const Access &access : accesses) {
    if (access.writes || access.stride < 2)
      continue;
    auto *others = llvm::find_if(alike, [&](const auto &reads) {
      return readsBeside(*reads.front(), access);
    });
    if (others == alike.end())
      alike.push_back({&access});
    else
      others->push_back(&access);
  }
  auto constant = [](const Access *read) {
    return read->indices.back().constant;
  };
  for (auto &beside : alike) {
    llvm::stable_sort(beside, [&](const Access *one, const Access *other) {
      return constant(one) < constant(other);
    });
    int64_t lowest = constant(beside.front()), start = 0, last = -1;
    for (const Access *read : beside) {
      int64_t number = (constant(read) - lowest) / read->stride;
      if (number != last) {
        start = constant(read);
        groups.push_back({read->stride, 0});
      }
      last = number;
      int64_t offset = constant(read) - start;
      groups.back().farthest = offset;
      places[read->op] = {groups.size() - 1, offset};
    }
  }
  return groups;
}

} // namespace harl
