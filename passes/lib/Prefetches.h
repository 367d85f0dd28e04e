//===- Prefetches.h - Asking for what streamed loops read -------*- C++ -*-===//
//
// As harl_mlir/codegen/prefetches.py does.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_PREFETCHES_H
#define HARL_PREFETCHES_H

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace harl {

/// Put prefetches before what a loop reads where it streams, or along rows.
void prefetchReads(mlir::scf::ForOp loop,
                   llvm::ArrayRef<mlir::vector::TransferWriteOp> streamed);

/// Put prefetches before what a loop reads but does not write.
void prefetchUnwritten(mlir::scf::ForOp loop);

/// Indices with offsets added to those of these dimensions.
llvm::SmallVector<mlir::Value> movedBy(mlir::OpBuilder &builder,
                                       mlir::Location place,
                                       mlir::ValueRange indices,
                                       llvm::ArrayRef<int64_t> offsets,
                                       llvm::ArrayRef<unsigned> dimensions);

/// The buffer's dimensions along which a vector lies, in the vector's order;
/// empty where one is repeated.
llvm::SmallVector<unsigned> dimensionsOf(mlir::AffineMap map);

/// The places of a vector's rows, with a last index of 0.
llvm::SmallVector<llvm::SmallVector<int64_t>> rowsOf(mlir::VectorType type);

} // namespace harl

#endif // HARL_PREFETCHES_H
