//===- OnlineLoops.h - Loops over chunks of rows --------------------------===//
//
// A port of harl_mlir/codegen/online_loops.py.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_LIB_ONLINELOOPS_H
#define HARL_LIB_ONLINELOOPS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <optional>

namespace harl {

/// A loop that reads kept vectors, once a step, where they were written.
struct Reader {
  mlir::scf::ForOp loop;
  mlir::vector::TransferReadOp read;
};

/// What a loop keeps: its write, and the loops that read what it wrote.
struct Kept {
  mlir::vector::TransferWriteOp write;
  llvm::SmallVector<Reader> readers;
};

/// A loop's way cut into chunks of `size` numbers, the last perhaps shorter.
struct Chunks {
  mlir::Value lower, upper, inner, step;
  int64_t first, count;
  bool whole;

  /// Of about so many elements; nothing where there is one only, or nothing is
  /// known of the loop.
  static std::optional<Chunks> of(mlir::scf::ForOp loop, int64_t elements);

  /// Where the chunk from `begin` on ends.
  mlir::Value end(mlir::OpBuilder &builder, mlir::Location at,
                  mlir::Value begin) const;
  /// A tensor of a vector for each chunk.
  mlir::Value empty(mlir::OpBuilder &builder, mlir::Location at,
                    mlir::VectorType vector) const;
  /// `into` with a vector as that of the chunk from `begin` on.
  mlir::Value put(mlir::OpBuilder &builder, mlir::Location at,
                  mlir::Value vector, mlir::Value into,
                  mlir::Value begin) const;
  /// Has a loop multiply what it takes to be relative to `greatest`. `total`
  /// are the sums of the lanes, `bases` what each chunk is relative to.
  void scale(const Reader &reader, mlir::Value greatest, mlir::Value total,
             mlir::Value bases) const;
};

/// What divides all that is read by the rows' sums, and alone uses it; `total`
/// are those of the lanes.
mlir::arith::DivFOp divisionOf(mlir::vector::TransferReadOp read,
                               mlir::Value total);

/// What a loop keeps that writes vectors apart from one another; nothing where
/// anything else is done with it, or it is read in other steps. The read
/// `without` must be such, too, and is left out. What is read and written
/// beside is of no concern.
std::optional<Kept> keptBy(mlir::scf::ForOp writer,
                           mlir::vector::TransferReadOp without);

/// `value` spread again, from what it is spread from.
mlir::Value spreadAnew(mlir::OpBuilder &builder, mlir::Value value);

/// Whether a value from outside of a loop is known before an op of its block,
/// or can be.
bool mayStand(mlir::Value value, mlir::Operation *before);

} // namespace harl

#endif
