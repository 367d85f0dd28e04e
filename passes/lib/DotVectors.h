//===- DotVectors.h - Vectors of groups that dot products take --*- C++ -*-===//

#ifndef HARL_DOTVECTORS_H
#define HARL_DOTVECTORS_H

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

#include <optional>

namespace harl {

/// How many numbers of a type a dot product takes, or 0: two bf16, four i8.
int64_t groupOf(mlir::Type element);

/// The first `count` lanes of a vector; of those beyond its own nothing is
/// known.
mlir::Value resized(mlir::OpBuilder &builder, mlir::Location place,
                    mlir::Value vector, int64_t count);

/// `count` lanes of a vector.
mlir::Value lanesFrom(mlir::OpBuilder &builder, mlir::Location place,
                      mlir::Value vector, int64_t first, int64_t count);

/// `vector` with `part` in the place of its lanes from `first` on.
mlir::Value putLanes(mlir::OpBuilder &builder, mlir::Location place,
                     mlir::Value part, mlir::Value vector, int64_t first);

/// The same integer in every lane.
mlir::Value splat(mlir::OpBuilder &builder, mlir::Location place,
                  mlir::VectorType type, int64_t value);

/// A row of a buffer: what sees it as that, and where it starts.
struct Row {
  mlir::Value buffer;
  llvm::SmallVector<mlir::Value> indices;
};

/// Where the last two dimensions of a vector that is read or written lie as one
/// row of a buffer. None unless it is in bounds, not masked, and takes whole
/// rows of the buffer's last dimension.
std::optional<Row> rowOf(mlir::OpBuilder &builder,
                         mlir::VectorTransferOpInterface transfer);

/// `count` elements of a row in a vector of `lanes`; in those beyond lies 0.
mlir::Value loadRow(mlir::OpBuilder &builder, mlir::Location place,
                    const Row &row, int64_t count, int64_t lanes);

/// Rewrites the transpositions that bring the numbers of groups together, as
/// shuffles of whole registers.
void copyGroups(mlir::Operation *root);

} // namespace harl

#endif // HARL_DOTVECTORS_H
