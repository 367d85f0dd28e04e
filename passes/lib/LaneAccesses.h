//===- LaneAccesses.h - What a step of a loop reads and writes ------------===//
//
// As harl_mlir/codegen/lane_accesses.py.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_LANEACCESSES_H
#define HARL_LIB_LANEACCESSES_H

#include "Linear.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace harl {

/// One read or write of an element: the buffer, the indices, elements between
/// those of two steps.
struct Access {
  mlir::Operation *op;
  mlir::Value buffer;
  llvm::SmallVector<Linear> indices;
  int64_t stride;
  bool writes;
};

/// Reads that take what they need from the same registers: the distances of
/// all from the one of the lowest address, less than the stride.
struct Group {
  int64_t stride = 0;
  int64_t farthest = 0;
};

/// The place of a read in its group.
struct Place {
  size_t group;
  int64_t offset;
};

/// What is read and written, or nothing where a step is not done with vectors
/// or not apart from others.
std::optional<llvm::SmallVector<Access>> accessesOf(mlir::scf::ForOp loop);

/// The groups of the reads of elements that lie apart; `places` is filled.
llvm::SmallVector<Group>
groupsOf(llvm::ArrayRef<Access> accesses,
         llvm::DenseMap<mlir::Operation *, Place> &places);

/// Whether it computes positions.
bool isIndex(mlir::Operation *op);

/// Whether it reads or writes.
bool isAccess(mlir::Operation *op);

bool isWrite(mlir::Operation *op);

/// Whether it makes of an element the element.
bool isSame(mlir::Operation *op);

} // namespace harl

#endif // HARL_LIB_LANEACCESSES_H
